// Which study is selected: it keeps its selection by its UID, whatever slides in around it.
import { comesBack, listedStudies, noteSelected, selectedStudy } from "./list-state.js";

const list = document.getElementById("list");

// Those that can be selected; what has left the list cannot.
const rows = () => [...list.querySelectorAll("tbody tr[data-uid]:not(.is-gone)")];

export const selectedRow = () => list.querySelector("tbody tr.is-selected");

function mark(row) {
  for (const other of list.querySelectorAll("tr.is-selected")) other.classList.remove("is-selected");
  row.classList.add("is-selected");
  noteSelected(row.dataset.uid);
  rove();
}

// One link of the list is on the way of the Tab key: the selected one, or the first.
export function rove() {
  const chosen = selectedRow() ?? rows()[0];
  for (const row of rows()) row.querySelector(".open").tabIndex = row === chosen ? 0 : -1;
}

export function select(row) {
  mark(row);
  row.querySelector(".open").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// The next one, or the one before; the first where none is selected. One that has left the list
// gives its place to its neighbour.
export function step(distance) {
  const all = [...list.querySelectorAll("tbody tr[data-uid]")];
  let place = all.indexOf(selectedRow());
  if (place < 0) place = distance > 0 ? -1 : all.length;
  do place += distance; while (all[place]?.classList.contains("is-gone"));
  if (all[place]) select(all[place]);
}

export function selectFirst() {
  const [first] = rows();
  if (first) select(first);
  scrollTo({ top: 0 });
}

export function selectByUid(uid) {
  const row = rows().find((one) => one.dataset.uid === uid);
  if (row) select(row);
}

// As it was when the list was left. One that is in it no longer gives its place to its neighbour.
export function restoreSelection() {
  const row = nearestListed(selectedStudy());
  if (row) mark(row);
  else rove();
  if (!comesBack() || !row) return;
  row.querySelector(".open").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

// After rows have come and gone: if the selected one did, its neighbour is selected.
export function keepSelection(hadFocus) {
  const row = selectedRow() ?? nearestListed(selectedStudy());
  if (!row) return rove();
  mark(row);
  if (hadFocus && !row.contains(document.activeElement) && document.activeElement === document.body) {
    row.querySelector(".open").focus({ preventScroll: true });
  }
}

function nearestListed(uid) {
  const order = listedStudies();
  const place = order.indexOf(uid);
  const candidates = place < 0 ? [uid] : [...order.slice(place), ...order.slice(0, place).reverse()];
  const byUid = new Map(rows().map((row) => [row.dataset.uid, row]));
  return byUid.get(candidates.find((one) => byUid.has(one)));
}

// Whoever goes to a link by Tab or click selects its study.
list.addEventListener("focusin", (event) => {
  const row = event.target.closest("tbody tr[data-uid]:not(.is-gone)");
  if (row && row !== selectedRow()) mark(row);
});
