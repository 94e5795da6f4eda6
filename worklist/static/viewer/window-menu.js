// The menu of windows: as the film was sent, the windows that it brings, and some by its values.

import { gettext, pgettext } from "../common/texts.js";
import { rounded } from "./measure.js";
import { presetsOf } from "./window.js";

export class WindowMenu {
  // select: its element. canvas: the FilmCanvas.
  constructor(select, canvas) {
    this.select = select;
    this.canvas = canvas;
    this.choices = [];
    select.addEventListener("change", () => this.#choose(select.value));
  }

  // Lists the windows of a film.
  list(film) {
    const { facts } = film;
    // The first window that a film brings is the one as it was sent.
    const own = facts.windows.map((window, index) => ({ ...window, function: facts.function, label: nameOf(window, index) })).slice(1);
    const presets = presetsOf(film).map((window) => ({ ...window, label: window.name }));
    this.choices = [...own, ...presets];
    const options = this.choices.map(({ label }, index) => new Option(label, String(index)));
    this.select.replaceChildren(new Option(gettext("As sent"), "own"), ...options, new Option(pgettext("window", "Other"), "other"));
    this.select.options[this.select.options.length - 1].hidden = true;
    this.select.disabled = false;
  }

  // Goes to the next window of the menu; from the last one back to the first.
  next() {
    if (!this.canvas.film) return;
    const values = ["own", ...this.choices.map((_, index) => String(index))];
    this.#choose(values[(values.indexOf(this.select.value) + 1) % values.length]);
  }

  // Shows which window the film is seen through.
  update() {
    const { window } = this.canvas;
    const value = window.isOwn ? "own" : (window.index ?? "other");
    if (this.select.value !== value) this.select.value = value;
  }

  #choose(value) {
    const choice = this.choices[Number(value)];
    if (!choice) this.canvas.setOwnWindow();
    else this.canvas.setWindow({ ...choice, isOwn: false, index: value });
  }
}

function nameOf(window, index) {
  return window.name || gettext("Window {number}: C {center} W {width}", {
    number: index + 1,
    center: rounded(window.center),
    width: rounded(window.width),
  });
}

