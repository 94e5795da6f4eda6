// The page of one study: its keys, its links to other studies, and notices of what changes meanwhile.

import { setUpKeys } from "../common/keys.js";
import { gettext, locale } from "../common/texts.js";
import { VERDICT_WORDS as WORDS } from "../common/verdict-words.js";
import { listAddress, listedStudies, storeOpenedStudy } from "../worklist/state.js";
import { keepCommentDraft } from "./comment-draft.js";
import { setUpNextUnread } from "./next-unread.js";
import { showNotice } from "./notice.js";
import { setUpReaders } from "./readers.js";
import { setUpVerdict } from "./verdict.js";

const { study, zone } = /** @type {HTMLElement} */ (document.querySelector("main.study")).dataset;

// The notice for an event of this study, by its type. Other events need no notice.
const CHANGES = {
  received: async () => gettext("Another image of this study has come in."),
  scored: async () => gettext("The AI has scored an image of this study."),
  verdict: describeVerdict,
};
// Verdicts submitted on this page whose events have not come in yet.
let ownVerdicts = 0;

async function onEvent(event) {
  const { study_instance_uid: uid } = JSON.parse(event.data);
  if (uid !== study) return;
  if (event.type === "verdict" && ownVerdicts > 0) ownVerdicts -= 1;
  else showNotice(await CHANGES[event.type](), { show: true });
}

// Who said what, and when, in the site's time.
async function describeVerdict() {
  const response = await fetch(`/api/v1/studies/${study}/verdicts`).catch(() => null);
  const verdict = response?.ok && (await response.json()).at(-1);
  if (!verdict) return gettext("Somebody recorded a verdict.");
  const at = new Date(verdict.at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const reader = verdict.by ?? gettext("Somebody");
  if (verdict.withdrawn) return gettext("{reader} marked this study as unread at {at}.", { reader, at });
  return gettext("{reader} recorded “{verdict}” at {at}.", { reader, verdict: WORDS[verdict.finding] ?? WORDS.read, at });
}

// Links to the list from which this study was opened and to its neighbours there, in any order.
function followList() {
  /** @type {HTMLAnchorElement} */ (document.getElementById("back")).href = listAddress();
  storeOpenedStudy(study);
  const order = listedStudies();
  const index = order.indexOf(study);
  if (index < 0) return;
  linkTo("prev", order[index - 1]);
  linkTo("next", order[index + 1]);
}

// Where that list ends, the server's own link stays only if its order is the same.
function linkTo(rel, uid) {
  /** @type {HTMLAnchorElement} */
  const link = document.querySelector(`a[rel="${rel}"]`);
  if (uid) link.href = `/studies/${uid}`;
  if (uid || listAddress() !== "/") link.hidden = !uid;
}

// A verdict is submitted, or was not accepted.
document.addEventListener("htmx:beforeRequest", (/** @type {CustomEvent} */ event) => {
  if (event.detail.requestConfig.verb === "post") ownVerdicts += 1;
});
document.addEventListener("htmx:afterRequest", (/** @type {CustomEvent} */ event) => {
  const { requestConfig, successful } = event.detail;
  if (requestConfig.verb === "post" && !successful) ownVerdicts -= 1;
});

const askForReaders = setUpReaders(study);

// A browser has few connections for one server: a hidden page closes its own.
let stream = null;
function updateStream() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (!stream) {
    stream = new EventSource("/api/v1/events/stream");
    for (const type of Object.keys(CHANGES)) stream.addEventListener(type, onEvent);
    stream.addEventListener("readers", ({ data }) => { if (JSON.parse(data).study_instance_uid === study) askForReaders(); });
  }
}
document.addEventListener("visibilitychange", updateStream);
updateStream();
setUpKeys();
setUpNextUnread(study);
setUpVerdict();
followList();
keepCommentDraft(study);
