// The list: follows what happens without moving what is looked at.
import { alertFlagged, offerAlerts, wantsAlerts } from "./list-alerts.js";
import { askForList, clockBehind } from "./list-ask.js";
import { tick } from "./list-clock.js";
import { listenToKeys } from "./list-keys.js";
import { Live } from "./list-live.js";
import { tellNew } from "./list-news.js";
import { isBusy, isPointing, keepPlace } from "./list-place.js";
import { bringUpToDate, dropGone } from "./list-rows.js";
import { keepSelection, restoreSelection } from "./list-selection.js";
import { heldText, rememberList } from "./list-state.js";
import { searchBy } from "./list-text.js";
import "./menus.js";

const list = document.getElementById("list");
const state = document.getElementById("live");
// Milliseconds between two changes of the list, however much happens; longer where the server is
// slow to answer, so that many open pages do not make it slower.
const PAUSE = 700;
const RESTRAINT = 8;
// Rows that may slide in at once, and the most the server gives.
const ROOM = 20;
const MOST = 200;

let wanted = false;
let asking = false;
// Counts what was asked for: an answer to anything but the last comes too late.
let latest = 0;

const rows = () => [...list.querySelectorAll("tbody tr[data-uid]")];

// What is there now, so that a page that fills up loses nothing at its end: its last row, or its
// first where it was turned back to.
function asShown() {
  const shown = rows().filter((row) => !row.classList.contains("is-gone"));
  const isTurnedBack = new URLSearchParams(location.search).has("before");
  const goesOn = list.querySelector(isTurnedBack ? "a[rel=prev]" : "a[rel=next]");
  if (!shown.length || !goesOn) return { rows: MOST };
  const count = Math.min(MOST, Math.max(50, shown.length + ROOM));
  return { rows: count, through: shown.at(isTurnedBack ? 0 : -1).dataset.uid };
}

async function refresh() {
  asking = true;
  const asked = performance.now();
  const meant = ++latest;
  // Where the server does not answer, the next look will tell.
  const fresh = await askForList("/rows", asShown()).catch(() => null);
  const took = performance.now() - asked;
  if (fresh) await quiet();
  setTimeout(() => {
    asking = false;
    if (wanted) look();
  }, Math.max(PAUSE, RESTRAINT * took));
  if (fresh && meant === latest) bring(fresh);
}

function bring(fresh) {
  const isPointed = isPointing();
  const hadFocus = list.contains(document.activeElement);
  let news;
  keepPlace(() => { news = bringUpToDate(list, fresh.body, { keepGone: isPointed }); });
  tellNew(news);
  keepSelection(hadFocus);
  rememberList(rows());
}

function look() {
  wanted = asking;
  if (!asking) refresh();
}

// Resolves once nobody is about to click.
function quiet() {
  if (!isBusy()) return Promise.resolve();
  return new Promise((done) => { setTimeout(() => done(quiet()), 150); });
}

// Shows the list anew, as a whole: by a text, which no address may hold.
async function show({ fromStart }) {
  if (fromStart && /[?&](cursor|before)=/.test(location.search)) {
    const address = new URL(location.href);
    for (const name of ["cursor", "before"]) address.searchParams.delete(name);
    history.replaceState(null, "", address);
  }
  const meant = ++latest;
  const page = await askForList("/").catch(() => null);
  if (!page) {
    state.textContent = "The server does not answer.";
    return;
  }
  document.documentElement.classList.remove("searching");
  if (meant !== latest) return;
  list.replaceChildren(...page.getElementById("list").childNodes);
  restoreSelection();
  rememberList(rows());
}

// A thumbnail that is gone is shown as none.
function withoutFilm(image) {
  const none = document.createElement("span");
  none.className = "no-film";
  image.replaceWith(none);
}

for (const image of list.querySelectorAll("img")) {
  if (image.complete && !image.naturalWidth) withoutFilm(image);
}
list.addEventListener("error", ({ target }) => { if (target.matches("img")) withoutFilm(target); }, true);
list.addEventListener("pointerleave", () => {
  const hadFocus = list.contains(document.activeElement);
  keepPlace(() => dropGone(list));
  keepSelection(hadFocus);
});
searchBy(show);
if (heldText()) await show({ fromStart: false });
restoreSelection();
rememberList(rows());
listenToKeys(refresh);
const live = new Live({
  changed: look,
  flagged: alertFlagged,
  live: (isLive) => { state.textContent = isLive ? "" : "not live"; },
  whileHidden: wantsAlerts,
});
offerAlerts(() => live.open());
setInterval(() => tick(list, clockBehind()), 10_000);
