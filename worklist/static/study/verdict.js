// The verdict of the page: taken only of a film that was displayed, and told wherever one looks.

import { press } from "../common/keys.js";
import { gettext } from "../common/texts.js";
import { VERDICT_WORDS as WORDS } from "../common/verdict-words.js";
import { storeDisplayedFilm, storePendingVerdict, takePendingVerdict } from "../worklist/state.js";
import { hideNotice, setUpNotice, showNotice, showOnFilm } from "./notice.js";

const GO_ON = "readfirst.go-on";
// Milliseconds in which a verdict can be taken back before the page goes on.
const GO_ON_AFTER = 1500;
const NO_FINDING = gettext("The film cannot be displayed here, so it takes no finding: only Uncertain or Mark as read.");

// The films of this study that were displayed, and that could not be, by their digests.
const film = { displayed: "", failed: "" };
// What the latest form says: a finding, `read` or `unread`.
let latestSay = "";
let goingOn = null;

/** @returns {HTMLElement} */
const main = () => document.querySelector("main.study");
/** @returns {HTMLFormElement} */
const form = () => document.querySelector("#verdict form");
/** @returns {HTMLInputElement} */
const goOn = () => /** @type {HTMLInputElement} */ (document.getElementById("go-on"));

export function setUpVerdict() {
  main().dataset.film = "loading";
  document.addEventListener("film-displayed", onDisplayed);
  document.addEventListener("film-failed", onFailed);
  // Before htmx, and before the browser.
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("htmx:afterRequest", onAnswer);
  document.addEventListener("htmx:afterSwap", onSwap);
  document.addEventListener("htmx:oobBeforeSwap", keepOpen);
  setUpNotice({ retry: answerAgain, undo: () => press("z") });
  setUpGoingOn();
  tellPending();
}

// A film beside it, of an earlier study, is none of this study's.
const isCompared = (event) => event.target.closest("[data-compared]");

function onDisplayed(/** @type {CustomEvent} */ event) {
  if (isCompared(event)) return;
  film.displayed = event.detail.sha256;
  main().dataset.film = "displayed";
  storeDisplayedFilm(main().dataset.study, film.displayed, Number(form().elements["images_seen"].value));
  if (goOn().checked) preloadNext();
}

function onFailed(/** @type {CustomEvent} */ event) {
  if (isCompared(event)) return;
  film.failed = event.detail.sha256;
  if (!film.displayed) main().dataset.film = "failed";
}

function onSubmit(/** @type {SubmitEvent} */ event) {
  if (event.target !== form()) return;
  latestSay = /** @type {HTMLButtonElement} */ (event.submitter)?.value ?? "";
  stopGoingOn();
  const refusal = refusalOf(latestSay);
  if (refusal) {
    event.preventDefault();
    event.stopImmediatePropagation();
    showNotice(refusal);
    return;
  }
  hideNotice();
  form().elements["displayed"].value = film.displayed;
  form().elements["failed"].value = film.failed;
}

// Why a verdict is not taken now; empty if it is.
function refusalOf(say) {
  if (say === "unread" || film.displayed) return "";
  if (!film.failed) return gettext("The film is not displayed yet, so no verdict was taken.");
  return say === "pneumonia" || say === "no_pneumonia" ? NO_FINDING : "";
}

function onAnswer(/** @type {CustomEvent} */ event) {
  const { requestConfig, successful, xhr } = event.detail;
  if (requestConfig.verb !== "post" || successful) return;
  // The way to the log-in leads back to this page.
  if (xhr.status === 401) storePendingVerdict(main().dataset.study, latestSay);
  else if (xhr.status !== 409) {
    const reason = xhr.status ? gettext("the server reports a fault") : gettext("the server does not answer");
    showNotice(gettext("“{verdict}” was not saved: {reason}.", { verdict: WORDS[latestSay], reason }), { retry: gettext("Try again") });
  }
}

function answerAgain() {
  /** @type {HTMLElement} */ (form().querySelector(`button[value="${latestSay}"]`))?.click();
}

function onSwap(/** @type {CustomEvent} */ event) {
  if (event.detail.requestConfig?.verb !== "post") return;
  if (event.detail.xhr.status === 409) {
    const alert = document.querySelector("#verdict [role=alert]")?.textContent;
    if (alert) showOnFilm(alert);
    return;
  }
  revealAi();
  if (latestSay === "unread") return showOnFilm(gettext("Unread again."));
  showOnFilm(gettext("Recorded: {verdict}.", { verdict: WORDS[latestSay] }), { undo: true });
  if (goOn().checked) startGoingOn();
}

// The heat map may be seen once a verdict is given.
function revealAi() {
  const button = /** @type {HTMLButtonElement} */ (document.querySelector('[data-film="heat-map"]'));
  if (!button.disabled || document.querySelector("#verdict[data-ai-hidden]")) return;
  button.disabled = false;
  button.title = gettext("What the networks looked at (h)");
}

// What was unfolded stays so.
function keepOpen(/** @type {CustomEvent} */ event) {
  const { target, fragment } = event.detail;
  const fresh = fragment.querySelectorAll("details");
  target.querySelectorAll("details").forEach((details, index) => { if (fresh[index]) fresh[index].open = details.open; });
}

function setUpGoingOn() {
  document.getElementById("go-on-label").hidden = false;
  goOn().checked = localStorage.getItem(GO_ON) === "true";
  goOn().addEventListener("change", () => {
    localStorage.setItem(GO_ON, String(goOn().checked));
    if (goOn().checked && film.displayed) preloadNext();
    if (!goOn().checked) stopGoingOn();
  });
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") stopGoingOn(); });
}

function startGoingOn() {
  showNotice(gettext("Recorded: {verdict}. Going on to the next unread study; z takes the verdict back, Esc stays here.", { verdict: WORDS[latestSay] }));
  showOnFilm(gettext("Recorded: {verdict}. Going on …", { verdict: WORDS[latestSay] }), { undo: true });
  goingOn = setTimeout(() => press("n"), GO_ON_AFTER);
}

function stopGoingOn() {
  if (!goingOn) return;
  clearTimeout(goingOn);
  goingOn = null;
  hideNotice();
}

// Has the browser keep the film of the next study, as this one asks for films: then it is there at once.
let isPreloaded = false;
async function preloadNext() {
  const sha256 = main().dataset.nextFilm;
  if (!sha256 || isPreloaded) return;
  isPreloaded = true;
  for (const query of ["?longest=512", ""]) {
    const response = await fetch(`/api/v1/images/${sha256}/pixels${query}`, { priority: "low" }).catch(() => null);
    if (!response?.ok) return;
    await response.arrayBuffer().catch(() => null);
  }
}

// After a log-in that came in between.
function tellPending() {
  const pending = takePendingVerdict(main().dataset.study);
  if (!pending) return;
  latestSay = pending.say;
  showNotice(gettext("“{verdict}” was not saved, since your session had ended.", { verdict: WORDS[pending.say] }), { retry: gettext("Save it now") });
}
