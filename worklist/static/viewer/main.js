// Starts the viewer of a page: on the page of a study, or in a window of its own that follows that page.

import { setUpKeys } from "../common/keys.js";
import { gettext } from "../common/texts.js";
import { Panes } from "../compare/panes.js";
import { follow, lead } from "./follow.js";
import { Viewer } from "./viewer.js";

const main = document.querySelector("main");
let viewer = null;
let panes = null;
// Number of the latest change: an earlier one that comes too late is dropped.
let latestChange = 0;

function start() {
  stop();
  const section = document.querySelector(".film-viewer");
  viewer = section && new Viewer(section);
  panes = viewer && new Panes(section.closest(".film-grid"), viewer);
}

function stop() {
  panes?.stop();
  viewer?.stop();
  viewer = panes = null;
}

// Shows the film of another study in this window. The one before is gone at once.
async function changeTo(study) {
  if (main.dataset.filmStudy === study) return showNotice("");
  const change = ++latestChange;
  stop();
  main.dataset.filmStudy = study;
  showInstead(gettext("Loading the film of the next study …"));
  const response = await fetch(`/studies/${study}/film`).catch(() => null);
  const text = response?.ok ? await response.text() : "";
  if (change !== latestChange) return;
  if (response?.redirected) return location.assign(response.url);
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.querySelector("main.film-alone");
  if (!fresh) return showInstead(gettext("The film of the study in the first window could not be loaded. Load this page again."));
  main.replaceChildren(...fresh.childNodes);
  document.querySelector("#whole-study").replaceWith(page.querySelector("#whole-study"));
  history.replaceState(null, "", `/studies/${study}/film${location.hash}`);
  start();
}

function showInstead(text) {
  const sentence = document.createElement("p");
  sentence.className = "film-instead";
  sentence.role = "status";
  sentence.textContent = text;
  main.replaceChildren(sentence);
}

function showNotice(text) {
  if (viewer) viewer.showNotice(text);
}

start();
if (main.matches(".film-alone")) {
  setUpKeys();
  follow(changeTo, () => showNotice(gettext("The first window shows no study now.")));
} else {
  lead(main.dataset.study, document.querySelector('[data-film="own-window"]'));
}
