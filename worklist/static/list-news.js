// Says what is new: quietly to the eye, in words to a screen reader, and how much is out of view.
const pill = document.getElementById("above");
const announcer = document.getElementById("announcer");
// Milliseconds: between two announcements, and for which a row shows that it is new.
const PAUSE = 15_000;
const HIGHLIGHT = 6_000;

let outOfView = [];
let unsaid = [];
let timer = null;

export function tellNew(rows) {
  if (!rows.length) return;
  for (const row of rows) highlight(row);
  outOfView = outOfView.concat(rows.filter((row) => row.getBoundingClientRect().bottom < 0));
  showPill();
  unsaid = unsaid.concat(rows);
  timer ??= setTimeout(announce, announcer.textContent ? PAUSE : 500);
}

function highlight(row) {
  row.classList.add("is-new");
  setTimeout(() => row.classList.remove("is-new"), HIGHLIGHT);
}

function showPill() {
  outOfView = outOfView.filter((row) => row.isConnected && row.getBoundingClientRect().bottom < 0);
  pill.hidden = outOfView.length === 0;
  const words = `${outOfView.length} new above`;
  if (pill.textContent !== words) pill.textContent = words;
}

function announce() {
  const flagged = unsaid.filter((row) => row.classList.contains("is-flagged")).length;
  const studies = unsaid.length === 1 ? "1 new study" : `${unsaid.length} new studies`;
  announcer.textContent = flagged ? `${studies}, ${flagged} flagged` : studies;
  unsaid = [];
  timer = null;
}

pill.addEventListener("click", () => scrollTo({ top: 0 }));
addEventListener("scroll", () => { if (!pill.hidden) showPill(); }, { passive: true });
