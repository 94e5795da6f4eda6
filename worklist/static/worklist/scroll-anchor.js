// Keeps the row that the reader looks at in its place while the list changes around it.

// Milliseconds for which a mouse must rest before the list may change around it.
const REST = 400;

export class ScrollAnchor {
  constructor(list) {
    this.list = list;
    this.spacerAbove = document.createElement("div");
    this.spacerBelow = document.createElement("div");
    list.before(this.spacerAbove);
    list.after(this.spacerBelow);
    this.hover = matchMedia("(hover: hover)");
    this.pointerMovedAt = 0;
    this.keyPressedAt = 0;
    this.isPressed = false;
    this.#trackInput();
  }

  #trackInput() {
    this.list.addEventListener("pointermove", () => { this.pointerMovedAt = performance.now(); });
    this.list.addEventListener("pointerdown", () => { this.isPressed = true; });
    for (const type of ["pointerup", "pointercancel"]) {
      addEventListener(type, () => { this.isPressed = false; });
    }
    addEventListener("keydown", () => { this.keyPressedAt = performance.now(); });
    this.list.addEventListener("pointerleave", () => {
      const height = this.spacerAbove.offsetHeight;
      this.spacerAbove.style.height = "";
      if (height) scrollBy({ top: -height, behavior: "instant" });
    });
  }

  // The row under the mouse, unless keys were used since it moved.
  #hoveredRow() {
    if (!this.hover.matches || this.keyPressedAt > this.pointerMovedAt) return null;
    return this.list.querySelector("tbody tr:hover");
  }

  // True while the reader is about to click, or has a menu open.
  isBusy() {
    const open = "details[open], dialog[open], [popover]:popover-open";
    return this.isPressed || document.querySelector(open) !== null
      || (this.isHovering() && performance.now() - this.pointerMovedAt < REST);
  }

  isHovering() {
    return this.#hoveredRow() !== null;
  }

  // Makes a change so that one row stays: the one under the mouse, else the selected one, else the
  // first in view. At the very top, with neither, new rows push the others down.
  preserve(change) {
    const rows = [...this.list.querySelectorAll("tbody tr")];
    const tops = rowsFrom(rows, this.#anchorRow(rows)).map((row) => [row, row.getBoundingClientRect().top]);
    change();
    const anchor = tops.find(([row]) => row.isConnected);
    if (!anchor) return;
    const [row, top] = anchor;
    const shift = row.getBoundingClientRect().top - top;
    if (Math.abs(shift) >= 1) this.#scrollExactly(scrollY + shift);
  }

  #anchorRow(rows) {
    const hovered = this.#hoveredRow();
    if (hovered) return hovered;
    const selected = this.list.querySelector("tr.is-selected");
    if (selected && isInView(selected)) return selected;
    return scrollY > 8 ? rows.find(isInView) : undefined;
  }

  // A page that cannot be scrolled that far is made longer: below, and above too where a mouse
  // points at the row.
  #scrollExactly(target) {
    const pageHeight = document.documentElement.scrollHeight - this.spacerBelow.offsetHeight;
    this.spacerBelow.style.height = `${Math.max(0, target + innerHeight - pageHeight)}px`;
    if (target < 0 && this.isHovering()) {
      this.spacerAbove.style.height = `${this.spacerAbove.offsetHeight - target}px`;
    }
    scrollTo({ top: Math.max(0, target), behavior: "instant" });
  }
}

const rowsFrom = (rows, first) => (first ? rows.slice(rows.indexOf(first)) : []);

function isInView(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
