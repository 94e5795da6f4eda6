// The banner for a server that is gone: since when, so that nobody takes an old list for the present.
import { gettext, locale } from "../common/texts.js";
import { serverClockOffset } from "./fetch.js";

// Milliseconds for which the end is told.
const BACK_TIME = 8_000;

let timer = null;

/** @returns {HTMLElement} */
const banner = () => document.getElementById("connection");
/** @returns {HTMLElement} */
const main = () => document.querySelector("main");

// state: "live"; "polling", where events are cut off and the list is fetched now and then; "gone".
// since: of a server that is gone, in milliseconds. preserve: makes a change that moves no row.
export function showConnection({ state, since }, preserve) {
  const wasGone = main().classList.contains("is-cut-off");
  document.getElementById("live").textContent = state === "polling" ? gettext("not connected: updated every 20 s") : "";
  main().classList.toggle("is-cut-off", state === "gone");
  if (state === "gone") show(gettext("No connection since {time}. This list may be out of date. Trying again …", { time: clock(since) }), preserve);
  else if (wasGone) {
    show(gettext("Connected again at {time}. The list is up to date.", { time: clock(Date.now()) }), preserve);
    timer = setTimeout(() => hide(preserve), BACK_TIME);
  }
}

function show(text, preserve) {
  clearTimeout(timer);
  preserve(() => {
    banner().textContent = text;
    banner().hidden = false;
    banner().classList.toggle("is-over", !main().classList.contains("is-cut-off"));
  });
}

const hide = (preserve) => preserve(() => { banner().hidden = true; });

// In the site's time.
function clock(at) {
  const options = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", timeZone: main().dataset.zone });
  return new Date(at + serverClockOffset()).toLocaleTimeString(locale, options);
}
