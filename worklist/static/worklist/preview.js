// The preview beside the list, on wide screens: the selected study, once the selection rests.
import { SELECTED_EVENT, selectedRow } from "./selection.js";

// Milliseconds: a study that is passed by is neither fetched nor noted as shown.
const REST = 300;
const OFF = "readfirst.preview";

const pane = () => document.getElementById("preview");
const isWide = () => matchMedia("(min-width: 1800px)");
const isWanted = () => isWide().matches && localStorage.getItem(OFF) !== "off";

let timer = null;
// Number of the latest request: the response to an earlier one comes too late.
let latest = 0;

export function setUpPreview() {
  const box = /** @type {HTMLInputElement} */ (document.getElementById("preview-wanted"));
  box.checked = localStorage.getItem(OFF) !== "off";
  box.addEventListener("change", () => {
    localStorage.setItem(OFF, box.checked ? "on" : "off");
    update();
  });
  isWide().addEventListener("change", update);
  document.addEventListener(SELECTED_EVENT, update);
  update();
}

function update() {
  clearTimeout(timer);
  document.documentElement.classList.toggle("with-preview", isWanted());
  const row = /** @type {HTMLElement} */ (selectedRow());
  const uid = row?.dataset.uid;
  if (!isWanted() || pane().querySelector("[data-preview]")?.getAttribute("data-preview") === uid) return;
  // Never the film of one study beside the selection of another.
  latest += 1;
  pane().replaceChildren();
  if (uid) timer = setTimeout(() => show(uid), REST);
}

async function show(uid) {
  const request = ++latest;
  const response = await fetch(`/studies/${uid}/preview`).catch(() => null);
  const html = response?.ok ? await response.text() : "";
  if (request !== latest) return;
  const { body } = new DOMParser().parseFromString(html, "text/html");
  pane().replaceChildren(...body.childNodes);
}
