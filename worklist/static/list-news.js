// Says what is new: quietly to the eye, in words to a screen reader, and how much is out of view.
const pill = document.getElementById("above");
const announcer = document.getElementById("announcer");
// Milliseconds: between two announcements, and for which a row shows that it is new.
const PAUSE = 15_000;
const HIGHLIGHT = 6_000;

let outOfView = new Set();
let unsaid = { arrived: new Set(), flagged: new Set() };
let timer = null;

// arrived: rows that came in. risen: rows that were there, and are flagged now.
export function tellNew({ arrived, risen }) {
  const rows = [...arrived, ...risen];
  if (!rows.length) return;
  for (const row of rows) {
    highlight(row);
    if (isAbove(row)) outOfView.add(row);
    if (row.classList.contains("is-flagged")) unsaid.flagged.add(row);
  }
  for (const row of arrived) unsaid.arrived.add(row);
  showPill();
  timer ??= setTimeout(announce, announcer.textContent ? PAUSE : 1000);
}

const isAbove = (row) => row.isConnected && row.getBoundingClientRect().bottom < 0;

function highlight(row) {
  row.classList.add("is-new");
  setTimeout(() => row.classList.remove("is-new"), HIGHLIGHT);
}

function showPill() {
  outOfView = new Set([...outOfView].filter(isAbove));
  pill.hidden = outOfView.size === 0;
  const words = `${outOfView.size} new above`;
  if (pill.textContent !== words) pill.textContent = words;
}

function announce() {
  const studies = (count) => (count === 1 ? "1 study" : `${count} studies`);
  const { arrived, flagged } = unsaid;
  announcer.textContent = [
    arrived.size && `${studies(arrived.size)} came in`,
    flagged.size && `${studies(flagged.size)} flagged`,
  ].filter(Boolean).join(", ");
  unsaid = { arrived: new Set(), flagged: new Set() };
  timer = null;
}

const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
pill.addEventListener("click", () => {
  scrollTo({ top: 0, behavior: isCalm.matches ? "instant" : "smooth" });
});
addEventListener("scroll", () => { if (!pill.hidden) showPill(); }, { passive: true });
