// The page of one study: its keys, and word of what changes while somebody looks at it.

import { listAddress, listedStudies, selectStudy } from "./list-state.js";
import { keepComment } from "./study-comment.js";

const study = document.querySelector("main.study").dataset.study;
const news = document.getElementById("news");
// Where letters are typed or choose something; on the slider of the heat map they do neither.
const TYPING = 'input:not([type=range]), textarea, select, [contenteditable]';

// What is told of an event of this study, by its kind. Nothing else is worth an interruption.
const NEWS = {
  received: "Another image of this study has come in.",
  scored: "The AI has scored an image of this study.",
  verdict: "Somebody gave a verdict in the meantime.",
};
// Verdicts given on this page, of which the stream will tell too.
let own = 0;

function tell(text) {
  news.querySelector("span").textContent = text;
  news.hidden = false;
}

function heard(event) {
  const told = JSON.parse(event.data);
  if (told.study_instance_uid !== study) return;
  if (event.type === "verdict" && own > 0) own -= 1;
  else tell(NEWS[event.type]);
}

// Leads on in the list from which this study was opened, whatever it is sorted by.
function followList() {
  document.getElementById("back").href = listAddress();
  selectStudy(study);
  const listed = listedStudies();
  const place = listed.indexOf(study);
  if (place < 0) return;
  lead("prev", listed[place - 1]);
  lead("next", listed[place + 1]);
}

// Where that list ends here, the server's own order goes on only if it is the same.
function lead(way, uid) {
  const link = document.querySelector(`a[rel="${way}"]`);
  if (uid) link.href = `/studies/${uid}`;
  if (uid || listAddress() !== "/") link.hidden = !uid;
}

// Does what a key stands for; the first in the document wins. Returns whether there is anything.
function press(key) {
  const keyed = [...document.querySelectorAll("[data-key]:not([hidden])")];
  const target = keyed.find((one) => one.dataset.key === key);
  target?.click();
  return Boolean(target);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.matches(TYPING);
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (press(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
});

// A verdict is on its way, or was not taken.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post") own += 1;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, successful, xhr } = event.detail;
  if (requestConfig.verb !== "post" || successful) return;
  own -= 1;
  if (xhr.status !== 409) tell("The verdict was not taken: the server does not answer as it should.");
});

// A browser has few connections for one server: a page that nobody sees gives its own back.
let stream = null;
function follow() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (!stream) {
    stream = new EventSource("/api/v1/events/stream");
    for (const kind of Object.keys(NEWS)) stream.addEventListener(kind, heard);
  }
}
document.addEventListener("visibilitychange", follow);
follow();
followList();
keepComment(study);
