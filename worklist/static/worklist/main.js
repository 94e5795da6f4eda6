// The worklist: follows changes without moving the row that the reader looks at.
import { setUpMenus } from "../common/menus.js";
import { gettext } from "../common/texts.js";
import { alertStudy, setUpAlerts, wantsAlerts } from "./alerts.js";
import { announceChanges, setUpAnnouncer } from "./announcer.js";
import { updateWaitingTimes } from "./clock.js";
import { setUpDensity } from "./choices/density.js";
import { showConnection } from "./connection.js";
import { fetchList, serverClockOffset } from "./fetch.js";
import { setUpKeys } from "./keys.js";
import { LiveUpdates, pauseAfter } from "./live.js";
import { setUpPreview } from "./preview.js";
import { removeGone, updateList } from "./rows.js";
import { ScrollAnchor } from "./scroll-anchor.js";
import { setUpSavedFilters } from "./choices/saved-filters.js";
import { setUpSearch } from "./search.js";
import { keepSelection, restoreSelection, setUpSelection } from "./selection.js";
import { searchText, storeList } from "./state.js";
import { tellPending } from "./verdicts.js";

const list = document.getElementById("list");
const status = document.getElementById("live");
// Further rows that a refresh may bring at once, and the most the server gives.
const EXTRA_ROWS = 20;
const MAX_ROWS = 200;

const anchor = new ScrollAnchor(list);
let isStale = false;
let isFetching = false;
// Number of the latest request: the response to an earlier one comes too late.
let latestRequest = 0;
/** @type {LiveUpdates | null} */
let live = null;

/** @returns {HTMLElement[]} */
const rows = () => Array.from(list.querySelectorAll("tbody tr[data-uid]"));

// The range to ask for, so that a page that fills up loses nothing at its end: up to its last row,
// or from its first where the reader has paged back.
function currentRange() {
  const current = rows().filter((row) => !row.classList.contains("is-gone"));
  const isPagedBack = new URLSearchParams(location.search).has("before");
  const hasMore = list.querySelector(isPagedBack ? "a[rel=prev]" : "a[rel=next]");
  if (!current.length || !hasMore) return { rows: MAX_ROWS };
  const count = Math.min(MAX_ROWS, Math.max(50, current.length + EXTRA_ROWS));
  return { rows: count, through: current.at(isPagedBack ? 0 : -1).dataset.uid };
}

async function refresh() {
  isFetching = true;
  const start = performance.now();
  const request = ++latestRequest;
  // Where the server does not answer, the next refresh tries again.
  const fresh = await fetchList("/rows", currentRange()).catch(() => null);
  live?.noteAnswer(Boolean(fresh));
  const duration = performance.now() - start;
  if (fresh) await idle();
  setTimeout(() => {
    isFetching = false;
    if (isStale) requestRefresh();
  }, pauseAfter(duration));
  if (fresh && request === latestRequest) applyRows(fresh);
}

function applyRows(fresh) {
  const keepGone = anchor.isHovering();
  const hadFocus = list.contains(document.activeElement);
  let changes;
  anchor.preserve(() => { changes = updateList(list, fresh.body, { keepGone }); });
  announceChanges(changes);
  keepSelection(hadFocus);
  storeList(rows());
}

function requestRefresh() {
  isStale = isFetching;
  if (!isFetching) refresh();
}

// Resolves once nobody is about to click.
function idle() {
  if (!anchor.isBusy()) return Promise.resolve();
  return new Promise((resolve) => { setTimeout(() => resolve(idle()), 150); });
}

// Loads the list anew, as a whole: by a search text, which no address may contain.
async function reload({ fromStart }) {
  if (fromStart && /[?&](cursor|before)=/.test(location.search)) {
    const url = new URL(location.href);
    for (const name of ["cursor", "before"]) url.searchParams.delete(name);
    history.replaceState(null, "", url);
  }
  const request = ++latestRequest;
  const page = await fetchList("/").catch(() => null);
  if (!page) {
    status.textContent = gettext("The server does not answer.");
    return;
  }
  document.documentElement.classList.remove("searching");
  if (request !== latestRequest) return;
  list.replaceChildren(...page.getElementById("list").childNodes);
  restoreSelection();
  storeList(rows());
}

// A thumbnail that is gone is replaced by an empty frame.
function replaceThumbnail(image) {
  const frame = document.createElement("span");
  frame.className = "no-film";
  image.replaceWith(frame);
}

for (const image of list.querySelectorAll("img")) {
  if (image.complete && !image.naturalWidth) replaceThumbnail(image);
}
list.addEventListener("error", ({ target }) => { if (/** @type {Element} */ (target).matches("img")) replaceThumbnail(target); }, true);
list.addEventListener("pointerleave", () => {
  const hadFocus = list.contains(document.activeElement);
  anchor.preserve(() => removeGone(list));
  keepSelection(hadFocus);
});
setUpMenus();
setUpDensity();
setUpSavedFilters();
setUpAnnouncer();
setUpSelection();
setUpSearch(reload);
if (searchText()) await reload({ fromStart: false });
restoreSelection();
storeList(rows());
setUpKeys(refresh);
tellPending();
setUpPreview();
live = new LiveUpdates({
  onChange: requestRefresh,
  onAlert: alertStudy,
  onConnection: (connection) => showConnection(connection, (change) => anchor.preserve(change)),
  runsHidden: wantsAlerts,
});
setUpAlerts(() => live.update());
setInterval(() => updateWaitingTimes(list, serverClockOffset()), 10_000);
