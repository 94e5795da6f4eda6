// Which study is selected: it keeps its selection by its UID, whatever slides in around it.
import { selectedStudy, selectStudy } from "./list-state.js";

const list = document.getElementById("list");

// Those that can be selected; what has left the list cannot.
const rows = () => [...list.querySelectorAll("tbody tr[data-uid]:not(.is-gone)")];

export const selectedRow = () => list.querySelector("tbody tr.is-selected");

function mark(row) {
  for (const other of list.querySelectorAll("tr.is-selected")) other.classList.remove("is-selected");
  row.classList.add("is-selected");
  selectStudy(row.dataset.uid);
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

// As it was when the list was left.
export function restoreSelection() {
  const uid = selectedStudy();
  const row = uid && rows().find((one) => one.dataset.uid === uid);
  if (row) mark(row);
  else rove();
}

// Whoever goes to a link by Tab or click selects its study.
list.addEventListener("focusin", (event) => {
  const row = event.target.closest("tbody tr[data-uid]:not(.is-gone)");
  if (row && row !== selectedRow()) mark(row);
});
