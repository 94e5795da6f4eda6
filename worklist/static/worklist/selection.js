// The selected study: it is known by its UID, and stays selected while rows come and go.
import { consumeReturn, listedStudies, selectedStudy, storeSelectedStudy } from "./state.js";

// Told of on the document when another row is selected.
export const SELECTED_EVENT = "readfirst:selected";

const list = () => document.getElementById("list");

// Those that can be selected; rows that have left the list cannot.
/** @returns {HTMLElement[]} */
const rows = () => Array.from(list().querySelectorAll("tbody tr[data-uid]:not(.is-gone)"));

/** @returns {HTMLElement} */
const linkOf = (row) => row.querySelector(".open");

export const selectedRow = () => list().querySelector("tbody tr.is-selected");

// The study whose link gets the focus, by Tab or click, is selected.
export function setUpSelection() {
  list().addEventListener("focusin", (event) => {
    const row = /** @type {Element} */ (event.target).closest("tbody tr[data-uid]:not(.is-gone)");
    if (row && row !== selectedRow()) mark(row);
  });
}

function mark(row) {
  for (const other of list().querySelectorAll("tr.is-selected")) other.classList.remove("is-selected");
  row.classList.add("is-selected");
  storeSelectedStudy(row.dataset.uid);
  updateTabIndexes();
  document.dispatchEvent(new CustomEvent(SELECTED_EVENT));
}

// One link of the list can be reached by the Tab key: the selected one, or the first (roving tabindex).
function updateTabIndexes() {
  const current = selectedRow() ?? rows()[0];
  for (const row of rows()) linkOf(row).tabIndex = row === current ? 0 : -1;
}

export function select(row) {
  mark(row);
  linkOf(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// Selects the next row, or the one before; the first where none is selected. A selected row that
// has left the list passes its selection on to its neighbour.
export function step(distance) {
  const all = [...list().querySelectorAll("tbody tr[data-uid]")];
  let index = all.indexOf(selectedRow());
  if (index < 0) index = distance > 0 ? -1 : all.length;
  do index += distance; while (all[index]?.classList.contains("is-gone"));
  if (all[index]) select(all[index]);
}

export function selectFirst() {
  const [first] = rows();
  if (first) select(first);
  scrollTo({ top: 0 });
}

export function selectByUid(uid) {
  const row = rows().find((candidate) => candidate.dataset.uid === uid);
  if (row) select(row);
}

// As it was when the list was left. If that study is gone, its neighbour is selected.
export function restoreSelection() {
  const row = nearestListed(selectedStudy());
  if (row) mark(row);
  else updateTabIndexes();
  if (!consumeReturn() || !row) return;
  linkOf(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// After rows have come and gone: if the selected one did, its neighbour is selected.
export function keepSelection(hadFocus) {
  const row = selectedRow() ?? nearestListed(selectedStudy());
  if (!row) return updateTabIndexes();
  mark(row);
  if (hadFocus && !row.contains(document.activeElement) && document.activeElement === document.body) {
    linkOf(row).focus({ preventScroll: true });
  }
}

function nearestListed(uid) {
  const order = listedStudies();
  const index = order.indexOf(uid);
  const candidates = index < 0 ? [uid] : [...order.slice(index), ...order.slice(0, index).reverse()];
  const byUid = new Map(rows().map((row) => [row.dataset.uid, row]));
  return byUid.get(candidates.find((candidate) => byUid.has(candidate)));
}
