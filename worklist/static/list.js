// The list: follows what happens without moving what is looked at.
import { alertFlagged, offerAlerts, wantsAlerts } from "./list-alerts.js";
import { askForList, clockBehind } from "./list-ask.js";
import { tick } from "./list-clock.js";
import { listenToKeys } from "./list-keys.js";
import { Live } from "./list-live.js";
import { tellNew } from "./list-news.js";
import { isBusy, isPointing, keepPlace } from "./list-place.js";
import { bringUpToDate, dropGone } from "./list-rows.js";
import { restoreSelection, rove } from "./list-selection.js";
import { heldText, rememberList } from "./list-state.js";
import { searchBy } from "./list-text.js";
import "./menus.js";

const list = document.getElementById("list");
const state = document.getElementById("live");
// Milliseconds between two changes of the list, however much happens.
const PAUSE = 700;
// Rows that may slide in at once, and the most the server gives.
const ROOM = 20;
const MOST = 200;

let wanted = false;
let asking = false;

const rows = () => [...list.querySelectorAll("tbody tr[data-uid]")];

// What is there now, so that a page that fills up loses nothing at its end.
function asShown() {
  const shown = rows().filter((row) => !row.classList.contains("is-gone"));
  const count = Math.min(MOST, Math.max(50, shown.length + ROOM));
  if (!shown.length || !list.querySelector("a[rel=next]")) return { rows: MOST };
  return { rows: count, through: shown.at(-1).dataset.uid };
}

async function refresh() {
  asking = true;
  try {
    const fresh = await askForList("/rows", asShown());
    await quiet();
    const isPointed = isPointing();
    let news;
    keepPlace(() => { news = bringUpToDate(list, fresh.body, { keepGone: isPointed }); });
    tellNew(news);
    rove();
    rememberList(rows());
  } catch {
    // The server does not answer; the next look will tell.
  } finally {
    setTimeout(() => {
      asking = false;
      if (wanted) look();
    }, PAUSE);
  }
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
  const page = await askForList("/");
  list.replaceChildren(...page.getElementById("list").childNodes);
  document.documentElement.classList.remove("searching");
  restoreSelection();
  rememberList(rows());
}

list.addEventListener("pointerleave", () => keepPlace(() => dropGone(list)));
searchBy(show);
if (heldText()) await show({ fromStart: false }).catch(() => { state.textContent = "The server does not answer."; });
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
