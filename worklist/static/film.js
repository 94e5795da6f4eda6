// The film viewer of a page: its tools, its keys, and the films of the study.

import { watchHands } from "./film-hands.js";
import { HeatLayer } from "./film-heat.js";
import { fetchFilm } from "./film-samples.js";
import { Stage } from "./film-stage.js";

// Samples of the longer side of the film that is shown first.
const SMALL = 512;
// Films kept at hand.
const MOST_KEPT = 4;
const ZOOM_STEP = 1.25;
// CSS pixels that an arrow key moves the film, or changes its window, by.
const ARROW_STEP = 40;
const WHERE = { detector: " at the detector", film: " on the film", patient: "", unknown: " by the header" };

class Viewer {
  constructor(section) {
    this.part = (name) => section.querySelector(`[data-film="${name}"]`);
    this.choices = [...section.querySelectorAll("button[data-sha256]")];
    this.kept = new Map();
    this.heat = new HeatLayer(this.part);
    this.stage = new Stage(this.part("canvas"), () => this.#tell());
    watchHands(this.part("stage"), this.stage);
    this.#watchTools(section);
    this.show(section.dataset.first);
    // From the list, by its key for the heat map.
    if (location.hash === "#heat-map") this.heat.toggle();
  }

  // Shows one film of the study: a small one at once, then every pixel of it.
  async show(sha256) {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.shown = sha256;
    for (const choice of this.choices) {
      choice.setAttribute("aria-pressed", String(choice.dataset.sha256 === sha256));
    }
    this.heat.about(sha256);
    const known = this.kept.get(sha256);
    if (known) return this.#take(sha256, known, false);
    this.stage.hide();
    this.#say("Loading the film …");
    try {
      this.#take(sha256, await fetchFilm(sha256, SMALL, signal), false);
      if (!this.stage.film.isWhole) this.#take(sha256, await fetchFilm(sha256, null, signal), true);
    } catch (error) {
      if (!signal.aborted) this.#say(error instanceof TypeError ? "The server does not answer." : error.message);
    }
  }

  // Goes to the next film of the study, or with -1 to the one before.
  step(by) {
    const at = this.choices.findIndex((choice) => choice.dataset.sha256 === this.shown);
    const next = this.choices[at + by];
    if (next) this.show(next.dataset.sha256);
  }

  #take(sha256, film, isSame) {
    this.stage.show(film, isSame);
    this.#listWindows(film.facts);
    this.#say(this.#oddities(film));
    if (!film.isWhole) return;
    this.kept.delete(sha256);
    this.kept.set(sha256, film);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  #oddities({ facts, isWhole }) {
    if (!isWhole) return "Loading every pixel …";
    return facts.frames > 1 ? `The first of ${facts.frames} frames is shown.` : "";
  }

  #say(text) {
    this.part("says").textContent = text;
  }

  // The windows that the film brings; without several there is nothing to choose.
  #listWindows(facts) {
    const select = this.part("windows");
    const named = facts.windows.map((each, place) => new Option(nameOf(each, place), String(place)));
    select.replaceChildren(new Option("As sent", "own"), ...named, new Option("Other", "other"));
    select.options[select.options.length - 1].hidden = true;
    select.hidden = facts.windows.length < 2;
  }

  #chooseWindow(value) {
    const { facts } = this.stage.film;
    const chosen = facts.windows[Number(value)];
    if (!chosen || value === "0") this.stage.reset();
    else this.stage.showThrough({ ...chosen, function: facts.function, isOwn: false, place: value });
  }

  #watchTools(section) {
    const { stage } = this;
    const does = {
      fit: () => stage.fit(),
      actual: () => stage.actual(),
      closer: () => stage.zoomBy(ZOOM_STEP),
      farther: () => stage.zoomBy(1 / ZOOM_STEP),
      invert: () => stage.invert(),
      reset: () => stage.reset(),
      whole: () => this.#fillScreen(section),
      next: () => this.step(1),
      previous: () => this.step(-1),
    };
    for (const [name, act] of Object.entries(does)) this.part(name)?.addEventListener("click", act);
    for (const choice of this.choices) {
      choice.addEventListener("click", () => this.show(choice.dataset.sha256));
    }
    this.part("windows").addEventListener("change", (event) => this.#chooseWindow(event.target.value));
    const keys = {
      0: does.fit, 1: does.actual, "+": does.closer, "=": does.closer, "-": does.farther,
      h: () => this.heat.toggle(), i: does.invert, r: does.reset, f: does.whole, "]": does.next, "[": does.previous,
    };
    document.addEventListener("keydown", (event) => this.#onKey(event, keys));
  }

  #onKey(event, keys) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.target === this.part("stage")) {
      const [across, down] = arrow.map((each) => each * ARROW_STEP);
      if (event.shiftKey) this.stage.windowBy(across, down);
      else this.stage.moveBy(-across * devicePixelRatio, -down * devicePixelRatio);
      event.preventDefault();
    } else keys[event.key]?.();
  }

  #fillScreen(section) {
    if (document.fullscreenElement) document.exitFullscreen();
    else section.requestFullscreen?.().catch(() => {});
  }

  // How the film is shown, in words and numbers.
  #tell() {
    const { stage } = this;
    this.heat.draw(stage);
    const { shown, view, valueAtPoint: value, inverted } = stage;
    const texts = [
      `C ${rounded(shown.center)} W ${rounded(shown.width)}`,
      `${Math.round(view.scale * 100)} %`,
      inverted ? "inverted" : "",
      value === null ? "" : `value ${rounded(value)}`,
    ];
    this.part("facts").textContent = texts.filter(Boolean).join(" · ");
    this.part("invert").setAttribute("aria-pressed", String(inverted));
    this.part("windows").value = shown.isOwn ? "own" : (shown.place ?? "other");
    this.#showRuler(stage.ruler, stage.film.facts.spacing_at);
  }

  #showRuler(ruler, where) {
    this.part("ruler").hidden = !ruler;
    if (!ruler) return;
    this.part("bar").style.width = `${ruler.pixels}px`;
    this.part("length").textContent = `${ruler.mm >= 10 ? `${ruler.mm / 10} cm` : `${rounded(ruler.mm)} mm`}${WHERE[where] ?? ""}`;
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function nameOf(shown, place) {
  return shown.name || `Window ${place + 1}: C ${rounded(shown.center)} W ${rounded(shown.width)}`;
}

function rounded(value) {
  return Number(value.toFixed(Math.abs(value) < 10 ? 2 : 0)).toString();
}

function isTyping(target) {
  return target.closest("input:not([type=range]), textarea, select, [contenteditable]") !== null;
}

for (const section of document.querySelectorAll(".film-viewer")) new Viewer(section);
