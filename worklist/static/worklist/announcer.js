// Announces new studies: a highlight, a sentence for screen readers, and a count of those above.

import { ngettext } from "../common/texts.js";

// Milliseconds: between two announcements, and for which a row is highlighted.
const PAUSE = 15_000;
const HIGHLIGHT = 6_000;

let newAbove = new Set();
let pending = { arrived: new Set(), flagged: new Set() };
let timer = null;

const aboveButton = () => document.getElementById("new-above");
const liveRegion = () => document.getElementById("announcer");

export function setUpAnnouncer() {
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  aboveButton().addEventListener("click", () => {
    // In a low window the first row is not on the screen where the page begins.
    const [first] = [...newAbove].filter(isAbove).sort((a, b) => topOf(a) - topOf(b));
    const behavior = reducedMotion.matches ? "instant" : "smooth";
    first?.scrollIntoView({ block: "center", behavior });
  });
  addEventListener("scroll", () => { if (!aboveButton().hidden) updateButton(); }, { passive: true });
}

// arrived: rows that came in. newlyFlagged: rows that were there, and are flagged now.
export function announceChanges({ arrived, newlyFlagged }) {
  const rows = [...arrived, ...newlyFlagged];
  if (!rows.length) return;
  for (const row of rows) {
    highlight(row);
    if (isAbove(row)) newAbove.add(row);
    if (row.classList.contains("is-flagged")) pending.flagged.add(row);
  }
  for (const row of arrived) pending.arrived.add(row);
  updateButton();
  timer ??= setTimeout(announce, liveRegion().textContent ? PAUSE : 1000);
}

const topOf = (row) => row.getBoundingClientRect().top;
const isAbove = (row) => row.isConnected && row.getBoundingClientRect().bottom < 0;

function highlight(row) {
  row.classList.add("is-new");
  setTimeout(() => row.classList.remove("is-new"), HIGHLIGHT);
}

function updateButton() {
  newAbove = new Set([...newAbove].filter(isAbove));
  const button = aboveButton();
  button.hidden = newAbove.size === 0;
  const text = ngettext("{number} new study above", "{number} new studies above", newAbove.size);
  if (button.textContent !== text) button.textContent = text;
}

function announce() {
  const { arrived, flagged } = pending;
  liveRegion().textContent = [
    arrived.size && ngettext("{number} study came in", "{number} studies came in", arrived.size),
    flagged.size && ngettext("{number} study flagged", "{number} studies flagged", flagged.size),
  ].filter(Boolean).join(", ");
  pending = { arrived: new Set(), flagged: new Set() };
  timer = null;
}
