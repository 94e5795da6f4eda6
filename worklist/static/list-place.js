// Keeps what is looked at where it is while the list changes around it.
const list = document.getElementById("list");
const above = document.createElement("div");
const below = document.createElement("div");
list.before(above);
list.after(below);

// Milliseconds for which a mouse must rest before the list may change around it.
const REST = 400;
const hasMouse = matchMedia("(hover: hover)");

let movedAt = 0;
let keyedAt = 0;
let pressed = false;

list.addEventListener("pointermove", () => { movedAt = performance.now(); });
list.addEventListener("pointerdown", () => { pressed = true; });
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => { pressed = false; });
}
addEventListener("keydown", () => { keyedAt = performance.now(); });
list.addEventListener("pointerleave", () => {
  const left = above.offsetHeight;
  above.style.height = "";
  if (left) scrollBy({ top: -left, behavior: "instant" });
});

// The row under the mouse, unless keys were used since it moved.
function pointedRow() {
  if (!hasMouse.matches || keyedAt > movedAt) return null;
  return list.querySelector("tbody tr:hover");
}

// Whether somebody is about to click, or has a menu open.
export function isBusy() {
  const open = "details[open], dialog[open], [popover]:popover-open";
  return pressed || document.querySelector(open) !== null
    || (pointedRow() !== null && performance.now() - movedAt < REST);
}

export const isPointing = () => pointedRow() !== null;

// Makes a change so that the row looked at stays: the one under the mouse, else the selected one,
// else the first in view. At the very top, with neither, what is new shows itself.
export function keepPlace(change) {
  const rows = [...list.querySelectorAll("tbody tr")];
  const held = rowsFrom(rows, lookedAt(rows)).map((row) => [row, row.getBoundingClientRect().top]);
  change();
  const kept = held.find(([row]) => row.isConnected);
  if (!kept) return;
  const moved = kept[0].getBoundingClientRect().top - kept[1];
  if (Math.abs(moved) >= 1) scrollExactly(scrollY + moved);
}

function lookedAt(rows) {
  const pointed = pointedRow();
  if (pointed) return pointed;
  const selected = list.querySelector("tr.is-selected");
  if (selected && isInView(selected)) return selected;
  return scrollY > 8 ? rows.find(isInView) : undefined;
}

const rowsFrom = (rows, first) => (first ? rows.slice(rows.indexOf(first)) : []);

function isInView(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

// A page that cannot be scrolled as far as wanted is made longer: below, and above too where a mouse
// points at the row.
function scrollExactly(wanted) {
  const page = document.documentElement.scrollHeight - below.offsetHeight;
  below.style.height = `${Math.max(0, wanted + innerHeight - page)}px`;
  if (wanted < 0 && isPointing()) above.style.height = `${above.offsetHeight - wanted}px`;
  scrollTo({ top: Math.max(0, wanted), behavior: "instant" });
}
