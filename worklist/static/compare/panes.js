// Films side by side: the film of the opened study first, then those of earlier studies or its others.
//
// Each frame is a viewer of one study, with all that says whose film it is. The first one is always
// of the opened study, to which verdicts belong.

import { isTyping, keyOf } from "../common/keys.js";
import { gettext } from "../common/texts.js";
import { drawPreviews } from "./preview.js";
import { Viewer } from "../viewer/viewer.js";

const BESIDE = "readfirst.film.beside";
const LINKED = "readfirst.film.linked";
const LAYOUTS = ["1", "2", "4"];

export class Panes {
  // grid: the element that holds the frames. first: the viewer of the opened study.
  constructor(grid, first) {
    this.grid = grid;
    this.first = first;
    this.viewers = [first];
    this.count = 1;
    this.linked = localStorage.getItem(LINKED) !== "false";
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.buttons = [...first.section.querySelectorAll("button[data-layout]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#press(button.dataset.layout), { signal });
    this.choices = [...first.section.querySelectorAll(".film-strip button")].map(choiceOf);
    for (const choice of this.choices) {
      if (choice.isEarlier) choice.button.addEventListener("click", () => this.#open(choice), { signal });
    }
    first.choose = (sha256) => this.#open(this.choices.find((choice) => choice.sha256 === sha256));
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    grid.addEventListener("film-drawn", () => this.#link(), { signal });
    for (const type of ["pointerover", "focusin"]) grid.addEventListener(type, (event) => this.#activate(event.target), { signal });
    drawPreviews(first.section);
    this.#showLinked();
    this.#setUpBeside(signal);
  }

  stop() {
    this.stopping.abort();
    this.#shrink(1);
  }

  // Shows one film, two or four. What is added: the latest earlier film, then this study's others.
  async setLayout(count) {
    this.count = count;
    if (count > 1) this.grid.dataset.layout = String(count);
    else delete this.grid.dataset.layout;
    this.#shrink(count);
    this.#showLayout();
    while (this.viewers.length < count && this.count === count) {
      const choice = this.#nextChoice();
      if (!choice) break;
      await this.#add(choice);
    }
    this.#fillEmpty();
  }

  // Puts a film into the active frame; into the second one, where the first would lose its study.
  async #open(choice) {
    const active = this.viewers.find((viewer) => viewer.isActive) ?? this.first;
    if (active === this.first && !choice.isEarlier) return this.first.show(choice.sha256);
    if (this.count === 1) {
      this.count = 2;
      this.grid.dataset.layout = "2";
      this.#showLayout();
    }
    const replaced = active === this.first ? this.viewers[1] : active;
    if (replaced?.study === choice.study) replaced.show(choice.sha256);
    else await this.#add(choice, replaced);
    this.#fillEmpty();
    this.#mark();
  }

  // The earlier film to compare with, or an image of this study that no frame shows.
  #nextChoice() {
    const used = new Set(this.viewers.map(({ sha256 }) => sha256));
    const free = this.choices.filter(({ sha256, isShowable }) => isShowable && !used.has(sha256));
    const earlier = free.find(({ isEarlier }) => isEarlier);
    const own = free.find(({ isEarlier }) => !isEarlier);
    return this.viewers.length % 2 ? (earlier ?? own) : (own ?? earlier);
  }

  async #add(choice, replaced) {
    const section = await sectionOf(choice).catch(() => null);
    if (this.stopping.signal.aborted) return;
    if (!section) return this.first.showMessage(choice.date
      ? gettext("The film of {date} could not be loaded.", choice)
      : gettext("The film of this study could not be loaded."));
    if (replaced) {
      replaced.stop();
      replaced.section.replaceWith(section);
    } else this.grid.append(section);
    const viewer = new Viewer(section);
    viewer.isActive = Boolean(replaced?.isActive);
    section.classList.toggle("is-active", viewer.isActive);
    if (replaced) this.viewers[this.viewers.indexOf(replaced)] = viewer;
    else this.viewers.push(viewer);
    this.#mark();
  }

  #shrink(count) {
    for (const viewer of this.viewers.splice(count)) {
      viewer.stop();
      viewer.section.remove();
    }
    this.#activate(this.first.section);
    this.#mark();
  }

  // Frames for which there is no film stay empty, and say so.
  #fillEmpty() {
    for (const empty of this.grid.querySelectorAll(":scope > .film-empty")) empty.remove();
    for (let number = this.viewers.length; number < this.count; number += 1) {
      const empty = document.createElement("p");
      empty.className = "film-empty";
      empty.textContent = gettext("No further film.");
      this.grid.append(empty);
    }
  }

  // Keys, and a film that is chosen, are for the frame under the pointer or with the focus.
  #activate(target) {
    const active = this.viewers.find(({ section }) => section.contains(target));
    // The strip and the layouts are in the first frame, and for all.
    if (!active || target.closest(".film-strip, .film-layouts")) return;
    for (const viewer of this.viewers) {
      viewer.isActive = viewer === active;
      viewer.section.classList.toggle("is-active", viewer.isActive);
    }
  }

  // All other frames follow the active one.
  #link() {
    this.#mark();
    const look = this.linked && this.viewers.find(({ isActive }) => isActive)?.canvas.look;
    if (!look) return;
    for (const viewer of this.viewers) if (!viewer.isActive) viewer.canvas.follow(look);
  }

  #press(name) {
    if (name !== "link") return this.setLayout(Number(name));
    this.linked = !this.linked;
    localStorage.setItem(LINKED, String(this.linked));
    this.#showLinked();
    this.#link();
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const key = keyOf(event);
    // With one film already, 1 is what it was in older releases.
    if (key === "1" && this.count === 1) this.first.element("actual").click();
    else if (this.buttons.length && LAYOUTS.includes(key)) this.#press(key);
    else if (this.buttons.length && key === "s") this.#press("link");
  }

  #showLinked() {
    this.buttons.find(({ dataset }) => dataset.layout === "link")?.setAttribute("aria-pressed", String(this.linked));
  }

  #showLayout() {
    for (const button of this.buttons) {
      if (button.dataset.layout !== "link") button.setAttribute("aria-pressed", String(Number(button.dataset.layout) === this.count));
    }
  }

  // Marks the films of the strip that are in a frame.
  #mark() {
    const used = new Set(this.viewers.map(({ sha256 }) => sha256));
    for (const { button, sha256 } of this.choices) {
      const pressed = String(used.has(sha256));
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  }

  // A study with an earlier one opens with both, if the reader once wanted it so.
  #setUpBeside(signal) {
    const box = this.first.section.querySelector("input[data-layout=beside]");
    if (!box) return;
    box.checked = localStorage.getItem(BESIDE) === "true";
    box.addEventListener("change", () => {
      localStorage.setItem(BESIDE, String(box.checked));
      if (box.checked && this.count === 1) this.setLayout(2);
    }, { signal });
    if (box.checked) this.setLayout(2);
  }
}

function choiceOf(button) {
  const { earlier, filmOf, sha256, date } = button.dataset;
  const study = earlier ?? button.closest(".film-viewer").dataset.study;
  const isShowable = Boolean(button.querySelector("img, [data-preview]"));
  return { button, study, sha256: filmOf ?? sha256, date: date ?? "", isEarlier: Boolean(earlier), isShowable };
}

// The viewer of a study as a part of this page, which opens with the chosen film. Another study says so.
async function sectionOf(choice) {
  const response = await fetch(`/studies/${choice.study}/film`);
  if (!response.ok || response.redirected) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const section = /** @type {HTMLElement} */ (page.querySelector(".film-viewer"));
  if (!section) return null;
  section.dataset.first = choice.sha256;
  section.dataset.compared = "";
  section.setAttribute("aria-label", choice.date ? gettext("Earlier film, {date}", choice) : gettext("Another film of this study"));
  for (const element of section.querySelectorAll("[id]")) element.removeAttribute("id");
  if (choice.isEarlier) {
    const text = document.createElement("p");
    text.className = "film-earlier";
    text.textContent = gettext("Earlier: {date}. Verdicts are not on this one.", choice);
    section.querySelector(".film-identity").after(text);
  }
  return document.adoptNode(section);
}
