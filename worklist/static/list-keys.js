// What the keys do. None does anything while somebody types, or holds Ctrl, Alt or Meta.
import { select, selectByUid, selectedRow, selectFirst, step } from "./list-selection.js";
import { give, hasWord, onUndo, takeBack } from "./list-verdicts.js";

const help = document.getElementById("help");
const field = document.querySelector("#search input");
const TYPING = "input, textarea, select, [contenteditable]";

const open = (row, part = "") => location.assign(row.querySelector(".open").href + part);

// Where the AI has said nothing there is nothing to agree with: the study is opened instead.
async function answer(agrees) {
  const row = selectedRow();
  if (!row || row.classList.contains("is-gone")) return;
  if (!hasWord(row)) {
    open(row);
    return;
  }
  const next = neighbour(row);
  if (await give(row, agrees) && next?.isConnected && selectedRow() === row) select(next);
}

function neighbour(row) {
  const beside = (other, step) => {
    while (other && !other.matches("[data-uid]:not(.is-gone)")) other = other[step];
    return other;
  };
  return beside(row.nextElementSibling, "nextElementSibling")
    ?? beside(row.previousElementSibling, "previousElementSibling");
}

function showHelp() {
  if (help.open) help.close();
  else help.showModal();
}

// look: asks for the list anew.
export function listenToKeys(look) {
  async function undo() {
    const uid = await takeBack();
    if (!uid) return;
    await look();
    selectByUid(uid);
  }
  const does = {
    j: () => step(1),
    k: () => step(-1),
    Enter: () => { if (selectedRow()) open(selectedRow()); },
    a: () => answer(true),
    d: () => answer(false),
    z: undo,
    h: () => { if (selectedRow()) open(selectedRow(), "#heat-map"); },
    g: selectFirst,
    u: () => location.assign(document.getElementById("toggle-unread").href),
    "/": () => field.focus(),
    "?": showHelp,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches(TYPING)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (help.open && event.key !== "?") return;
    // A link or a button does what it says.
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    if (!Object.hasOwn(does, event.key)) return;
    event.preventDefault();
    does[event.key]();
  });
  onUndo(undo);
  document.getElementById("show-help").addEventListener("click", showHelp);
}
