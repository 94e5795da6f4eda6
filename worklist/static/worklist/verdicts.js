// Verdicts from the list, by a key, of studies whose film was displayed; and undo by another.
import { beforeLeaving, isLeaving, leaveForLogIn } from "../common/log-in.js";
import { gettext, inLanguage } from "../common/texts.js";
import { VERDICT_WORDS as WORDS } from "../common/verdict-words.js";
import { displayedFilm, storePendingVerdict, takePendingVerdict } from "./state.js";

const AGREEMENTS = {
  agrees: gettext("; agrees with the AI"),
  false_positive: gettext("; AI false positive"),
  missed: gettext("; missed by the AI"),
};
// Milliseconds for which the bar stays, and the last verdict can be undone.
const UNDO_TIME = 20_000;
// From this status on the fault is the server's.
const SERVER_FAULT = 500;

let last = null;
let timer = null;
// Submits once more what the server did not answer; null where there is nothing of the kind.
let again = null;

const undoBar = () => document.getElementById("undo-bar");
/** @returns {HTMLButtonElement} */
const undoButton = () => undoBar().querySelector("button.undo");
/** @returns {HTMLButtonElement} */
const againButton = () => undoBar().querySelector("button.again");

// True if there is a result of the AI to agree or disagree with.
export const hasAiResult = (row) => row.hasAttribute("data-scored");

// What agrees with the AI, or disagrees.
export function findingOf(row, agrees) {
  return row.classList.contains("is-flagged") === agrees ? "pneumonia" : "no_pneumonia";
}

const filmOf = (row) => displayedFilm(row.dataset.uid, Number(row.dataset.images));

// True if a film of the study was displayed in this tab, and no image has come in since.
export const wasDisplayed = (row) => filmOf(row) !== null;

// say: a finding, or `read`. Resolves to true if the verdict was accepted.
export const submitVerdict = (row, say) => beforeLeaving(submit(row, say));

async function submit(row, say) {
  if (isLeaving()) {
    storePendingVerdict(row.dataset.uid, say);
    return false;
  }
  const finding = say === "read" ? null : say;
  const expected = { verdicts: Number(row.dataset.verdicts), images: Number(row.dataset.images) };
  const patient = row.querySelector(".open").textContent;
  const response = await post(row.dataset.uid, { finding, displayed_image: filmOf(row) }, expected);
  if (response?.status === 401) askAfterLogIn(row.dataset.uid, say);
  if (response?.ok) {
    last = { uid: row.dataset.uid, patient, expected: { ...expected, verdicts: expected.verdicts + 1 } };
    const { agreement } = await response.json();
    showMessage(`${patient}: ${WORDS[say]}${AGREEMENTS[agreement] ?? ""}.`, true);
  } else {
    showMessage(gettext("{patient}: “{verdict}” was not saved. {reason}", { patient, verdict: WORDS[say], reason: await errorOf(response) }), false);
    if (!response || response.status >= SERVER_FAULT) offerAgain(() => submitVerdict(row, say));
  }
  return Boolean(response?.ok);
}

// Resolves to the study's UID if its verdict was withdrawn, else to null.
export const undoVerdict = () => beforeLeaving(undo());

async function undo() {
  if (!last) return null;
  const { uid, patient, expected } = last;
  if (isLeaving()) {
    storePendingVerdict(uid, "unread");
    return null;
  }
  const response = await post(uid, { withdrawn: true }, expected);
  if (response?.status === 401) askAfterLogIn(uid, "unread");
  if (!response?.ok) {
    showMessage(gettext("{patient}: not taken back. {reason}", { patient, reason: await errorOf(response) }), false);
    if (!response || response.status >= SERVER_FAULT) {
      last = { uid, patient, expected };
      offerAgain(undoVerdict);
    }
    return null;
  }
  showMessage(gettext("{patient}: the verdict is taken back.", { patient }), false);
  return uid;
}

// The session has ended: what was said is offered again after the log-in.
function askAfterLogIn(uid, say) {
  storePendingVerdict(uid, say);
  leaveForLogIn();
}

// After that log-in.
export function tellPending() {
  const pending = takePendingVerdict();
  const row = pending && document.getElementById(`study-${pending.uid}`);
  // On another page of the list, or on the study's own, it is offered still.
  if (pending && !row) storePendingVerdict(pending.uid, pending.say);
  if (!row) return;
  const patient = row.querySelector(".open").textContent;
  showMessage(gettext("{patient}: “{verdict}” was not saved, since your session had ended.", { patient, verdict: WORDS[pending.say] }), false);
  if (pending.say !== "unread") offerAgain(() => submitVerdict(row, pending.say), gettext("Save it now"));
}

function post(uid, verdict, expected) {
  const body = { ...verdict, verdicts_seen: expected.verdicts, images_seen: expected.images };
  return fetch(`/api/v1/studies/${uid}/verdicts`, inLanguage({
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  })).catch(() => null);
}

async function errorOf(response) {
  if (!response) return gettext("The server does not answer.");
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? response.statusText;
}

function showMessage(sentence, canUndo) {
  if (!canUndo) last = null;
  again = null;
  undoBar().querySelector("span").textContent = sentence;
  undoButton().hidden = !canUndo;
  againButton().hidden = true;
  undoBar().hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => {
    undoBar().hidden = true;
    last = null;
  }, UNDO_TIME);
}

// What was not saved stays on the page until it is, or until something else was said.
function offerAgain(action, text = gettext("Try again")) {
  clearTimeout(timer);
  again = action;
  againButton().textContent = text;
  againButton().hidden = false;
}

export const onUndo = (action) => {
  undoButton().addEventListener("click", action);
  againButton().addEventListener("click", () => again?.());
};
