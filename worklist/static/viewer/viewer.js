// The film viewer: its toolbar, its keys, its texts, and the films of one study.

import { keyOf, isTyping } from "../common/keys.js";
import { gettext } from "../common/texts.js";
import { FilmCanvas } from "./canvas.js";
import { HeatMapLayer } from "./heat-map.js";
import { MeasureLayer } from "./measure-layer.js";
import { placeOf, rounded } from "./measure.js";
import { OverlayLayer } from "./overlay.js";
import { trackPointer } from "./pointer.js";
import { fetchFilm } from "./samples.js";
import { WindowMenu } from "./window-menu.js";

// Samples along the longer side of the preview, which is shown first.
const PREVIEW_SIDE = 512;
// Films kept in memory.
const CACHE_SIZE = 4;
const ZOOM_STEP = 1.25;
// CSS pixels by which an arrow key moves the film, or changes its window.
const ARROW_STEP = 40;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// It tells of a film by events of its section: `film-displayed` when every pixel of it is painted,
// `film-failed` when it cannot be shown, and `film-drawn` at each painting; detail: { sha256 }.
export class Viewer {
  constructor(section) {
    this.section = section;
    this.element = (name) => section.querySelector(`[data-film="${name}"]`);
    this.imageButtons = [...section.querySelectorAll("button[data-sha256]")];
    // Of several films side by side, keys are for the active one.
    this.isActive = true;
    this.study = section.dataset.study;
    // Called with the digest of the film that was chosen.
    this.choose = (sha256) => this.show(sha256);
    this.cache = new Map();
    this.stopping = new AbortController();
    this.heatMap = new HeatMapLayer(this.element, () => this.#score);
    this.overlay = new OverlayLayer(this.element);
    this.canvas = new FilmCanvas(this.element("canvas"), () => this.#onDraw());
    this.windows = new WindowMenu(this.element("windows"), this.canvas);
    this.measures = new MeasureLayer(this.element, this.canvas, () => this.#facts?.dataset.view);
    trackPointer(this.element("stage"), this.canvas, this.measures, this.stopping.signal);
    this.#bindTools();
    this.show(section.dataset.first);
    // The key for the heat map on the worklist opens the study with this hash.
    if (location.hash === "#heat-map" && !this.element("heat-map").disabled) this.heatMap.toggle();
  }

  // Ends it: it fetches nothing more, and hears no keys.
  stop() {
    this.stopping.abort();
    this.abortController?.abort();
    this.heatMap.setImage(null);
    this.canvas.hide();
  }

  // Shows one film of the study: a preview at once, then every pixel of it.
  async show(sha256) {
    this.abortController?.abort();
    this.abortController = new AbortController();
    const { signal } = this.abortController;
    this.sha256 = sha256;
    this.displayed = null;
    for (const button of this.imageButtons) {
      button.setAttribute("aria-pressed", String(button.dataset.sha256 === sha256));
    }
    for (const text of this.section.querySelectorAll("[data-of]")) text.hidden = text.dataset.of !== sha256;
    this.canvas.hide();
    this.measures.clear();
    this.overlay.clear();
    this.heatMap.setImage(sha256);
    const cached = this.cache.get(sha256);
    if (cached) return this.#display(sha256, cached, false);
    this.showMessage(gettext("Loading the film …"));
    try {
      this.#display(sha256, await fetchFilm(sha256, PREVIEW_SIDE, signal), false);
      if (!this.canvas.source.isWhole) this.#display(sha256, await fetchFilm(sha256, null, signal), true);
    } catch (error) {
      if (signal.aborted) return;
      this.showMessage(error instanceof TypeError ? gettext("The server does not answer.") : error.message);
      this.#tell("film-failed");
    }
  }

  // Goes to the next film of the study, or with -1 to the one before.
  step(distance) {
    const index = this.imageButtons.findIndex((button) => button.dataset.sha256 === this.sha256);
    const next = this.imageButtons[index + distance];
    if (next) this.show(next.dataset.sha256);
  }

  // A sentence over the film that is no fault of it, as that its study was left.
  showNotice(text) {
    this.element("notice-text").textContent = text;
    this.element("notice").hidden = !text;
  }

  // What the page says of the film that is shown.
  get #facts() {
    return this.section.querySelector(`[data-of="${this.sha256}"]`);
  }

  // Its score; null without one, and while it is hidden.
  get #score() {
    const score = this.section.querySelector(`[data-score-of="${this.sha256}"]`);
    const { probability, threshold, percent } = score?.dataset ?? {};
    return probability ? { probability: Number(probability), threshold: Number(threshold), percent } : null;
  }

  #display(sha256, film, isSame) {
    this.canvas.show(film, isSame);
    this.windows.list(film);
    this.overlay.setFilm(sha256, film.facts, () => { if (this.canvas.film) this.#onDraw(); });
    this.showMessage(noteOn(film));
    if (!film.isWhole) return;
    this.cache.delete(sha256);
    this.cache.set(sha256, film);
    if (this.cache.size > CACHE_SIZE) this.cache.delete(this.cache.keys().next().value);
  }

  showMessage(text) {
    this.element("message").textContent = text;
  }

  #tell(type) {
    this.section.dispatchEvent(new CustomEvent(type, { bubbles: true, detail: { sha256: this.sha256 } }));
  }

  #bindTools() {
    const { canvas, measures, overlay } = this;
    const redraw = (action) => () => { action(); if (canvas.film) this.#onDraw(); };
    const actions = {
      fit: () => canvas.fit(),
      actual: () => canvas.actual(),
      "zoom-in": () => canvas.zoomBy(ZOOM_STEP),
      "zoom-out": () => canvas.zoomBy(1 / ZOOM_STEP),
      invert: () => canvas.invert(),
      turn: () => canvas.turn(),
      mirror: () => canvas.mirror(),
      reset: () => canvas.reset(),
      distance: () => measures.choose("distance"),
      angle: () => measures.choose("angle"),
      ratio: () => measures.choose("ratio"),
      overlays: redraw(() => overlay.toggle()),
      fullscreen: () => toggleFullscreen(this.section.closest("main.film-alone, .film-grid[data-layout]") ?? this.section),
    };
    for (const [name, action] of Object.entries(actions)) this.element(name)?.addEventListener("click", action);
    for (const button of this.imageButtons) {
      button.addEventListener("click", () => this.choose(button.dataset.sha256));
    }
    const keys = {
      0: actions.fit, o: actions.actual, "+": actions["zoom-in"], "=": actions["zoom-in"], "-": actions["zoom-out"],
      h: () => this.element("heat-map").click(), i: actions.invert, r: actions.reset, f: actions.fullscreen,
      ".": actions.turn, y: actions.mirror, m: actions.distance, g: actions.angle, b: actions.ratio,
      v: actions.overlays, w: () => this.windows.next(), t: () => this.#toggleTexts(),
      "]": () => this.step(1), "[": () => this.step(-1),
      delete: () => measures.clear(), backspace: () => measures.clear(), escape: () => measures.cancel(),
    };
    document.addEventListener("keydown", (event) => this.#onKey(event, keys), { signal: this.stopping.signal });
  }

  #onKey(event, keys) {
    if (!this.isActive || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.target === this.element("stage")) {
      const [across, down] = arrow.map((direction) => direction * ARROW_STEP);
      if (event.shiftKey) this.canvas.windowBy(across, down);
      else this.canvas.moveBy(-across * devicePixelRatio, -down * devicePixelRatio);
      event.preventDefault();
    } else keys[keyOf(event)]?.();
  }

  // Hides the texts in the corners, or shows them again. Whose film it is stays.
  #toggleTexts() {
    this.element("stage").classList.toggle("is-plain");
  }

  // Updates what depends on how the film is shown: what lies over it, texts and ruler.
  #onDraw() {
    const { canvas } = this;
    this.heatMap.draw(canvas);
    this.overlay.draw(canvas);
    this.measures.draw();
    this.#showFacts();
    this.element("invert").setAttribute("aria-pressed", String(canvas.inverted));
    this.windows.update();
    this.#showRuler(canvas.ruler, canvas.film.facts);
    this.#tell("film-drawn");
    if (canvas.source.isWhole && this.displayed !== this.sha256) {
      this.displayed = this.sha256;
      this.#tell("film-displayed");
    }
  }

  #showFacts() {
    const { window, view, valueAtPoint: value, inverted, source, orientationText } = this.canvas;
    this.#showText("laterality", source.facts.laterality && gettext("side {side}", { side: source.facts.laterality }));
    this.#showText("changed", orientationText);
    this.#showText("overlay-text", this.overlay.text);
    this.#showText("facts", [
      `C ${rounded(window.center)} W ${rounded(window.width)}`,
      `${Math.round(view.scale * 100)} %`,
      inverted ? gettext("inverted") : "",
      source.facts.lossy,
      value === null ? "" : gettext("value {value}", { value: rounded(value) }),
    ].filter(Boolean).join(" · "));
  }

  #showText(name, text) {
    const element = this.element(name);
    if (element.textContent !== text) element.textContent = text;
  }

  #showRuler(ruler, facts) {
    this.element("ruler").hidden = !ruler;
    if (!ruler) return;
    this.element("bar").style.width = `${ruler.pixels}px`;
    this.element("length").textContent = `${ruler.mm >= 10 ? `${ruler.mm / 10} cm` : `${rounded(ruler.mm)} mm`}${placeOf(facts)}`;
  }
}

function noteOn({ facts, isWhole }) {
  if (!isWhole) return gettext("Loading every pixel …");
  return facts.frames > 1 ? gettext("The first of {frames} frames is shown.", facts) : "";
}

function toggleFullscreen(element) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen?.().catch(() => {});
}
