// Keyboard shortcuts of the list. None acts while somebody types, or with Ctrl, Alt or Meta.
import { select, selectByUid, selectedRow, selectFirst, step } from "./selection.js";
import { keyOf } from "../common/keys.js";
import { findingOf, hasAiResult, onUndo, submitVerdict, undoVerdict, wasDisplayed } from "./verdicts.js";

const TYPING = "input, textarea, select, [contenteditable]";

const openStudy = (row, hash = "") => location.assign(row.querySelector(".open").href + hash);

// A study whose film was not displayed is opened instead: nobody judges what was not seen.
async function sayOrOpen(say) {
  const row = selectedRow();
  if (!row || row.classList.contains("is-gone")) return;
  if (!say || !wasDisplayed(row)) {
    openStudy(row);
    return;
  }
  const next = adjacentStudy(row);
  if (await submitVerdict(row, say) && next?.isConnected && selectedRow() === row) select(next);
}

// The keys of older releases. Without a result of the AI there is nothing to agree with.
function agreeOrOpen(agrees) {
  const row = selectedRow();
  if (row) sayOrOpen(hasAiResult(row) ? findingOf(row, agrees) : null);
}

function adjacentStudy(row) {
  const nearest = (sibling, direction) => {
    while (sibling && !sibling.matches("[data-uid]:not(.is-gone)")) sibling = sibling[direction];
    return sibling;
  };
  return nearest(row.nextElementSibling, "nextElementSibling")
    ?? nearest(row.previousElementSibling, "previousElementSibling");
}

function actionsFor(undo, toggleHelp) {
  /** @type {HTMLInputElement} */
  const field = document.querySelector("#search input");
  const toggleUnread = /** @type {HTMLAnchorElement} */ (document.getElementById("toggle-unread"));
  return {
    j: () => step(1),
    k: () => step(-1),
    enter: () => { if (selectedRow()) openStudy(selectedRow()); },
    p: () => sayOrOpen("pneumonia"),
    x: () => sayOrOpen("no_pneumonia"),
    c: () => sayOrOpen("cannot_tell"),
    e: () => sayOrOpen("read"),
    a: () => agreeOrOpen(true),
    d: () => agreeOrOpen(false),
    z: undo,
    h: () => { if (selectedRow()) openStudy(selectedRow(), "#heat-map"); },
    g: selectFirst,
    u: () => location.assign(toggleUnread.href),
    "/": () => field.focus(),
    "?": toggleHelp,
  };
}

// refresh: fetches the list anew.
export function setUpKeys(refresh) {
  const help = /** @type {HTMLDialogElement} */ (document.getElementById("help"));
  const toggleHelp = () => (help.open ? help.close() : help.showModal());
  async function undo() {
    const uid = await undoVerdict();
    if (!uid) return;
    await refresh();
    selectByUid(uid);
  }
  const actions = actionsFor(undo, toggleHelp);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches(TYPING)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (help.open && event.key !== "?") return;
    // Enter on a link or a button activates it.
    if (event.key === "Enter" && target.closest("a, button, summary")) return;
    if (!Object.hasOwn(actions, keyOf(event))) return;
    event.preventDefault();
    actions[keyOf(event)]();
  });
  onUndo(undo);
  document.getElementById("show-help").addEventListener("click", toggleHelp);
}
