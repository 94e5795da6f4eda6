// The canvas of a film: the film on it, its position, and its window.

import { mirrored, orientationText, turned, turnedBack, turnedRight, UPRIGHT } from "./orientation.js";
import { render } from "./renderer.js";
import { actual, fitted, moved, pointAt, positionAt, relativeOf, rulerOf, viewFrom, zoomed } from "./view.js";
import { coloursOf, dragged, greysThrough, ownWindow, relativeWindow, windowFrom } from "./window.js";

export class FilmCanvas {
  // canvas: the element. onChange: called after each painting.
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.onChange = onChange;
    // The film as it was sent, and as it is turned now.
    this.source = null;
    this.film = null;
    this.orientation = UPRIGHT;
    this.view = null;
    this.isFitted = true;
    this.inverted = false;
    this.point = null;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  // Shows a film. isSame: it is the current one at another scale, and stays where it is.
  show(film, isSame) {
    if (!isSame) this.orientation = UPRIGHT;
    this.source = film;
    this.film = film.turned(this.orientation);
    if (!isSame || !this.view) {
      this.inverted = false;
      this.window = ownWindow(film.facts);
      this.fit();
    } else if (this.window.isOwn) this.window = ownWindow(film.facts);
    this.#updateColours();
  }

  hide() {
    this.film = this.source = null;
    this.#draw();
  }

  get size() {
    return { width: this.canvas.width, height: this.canvas.height };
  }

  get frame() {
    const { rows, columns } = this.film.facts;
    return { rows, columns, pixelHeight: this.film.pixelHeight };
  }

  fit() {
    if (!this.film) return;
    this.isFitted = true;
    this.#setView(fitted(this.size, this.frame));
  }

  actual() {
    this.#changeView((size, frame) => actual(this.view, size, frame));
  }

  // point: of the canvas; without one, its middle.
  zoomBy(factor, point) {
    const { width, height } = this.size;
    const center = point ?? { x: width / 2, y: height / 2 };
    this.#changeView((size, frame) => zoomed(this.view, factor, center, size, frame));
  }

  moveBy(across, down) {
    this.#changeView((size, frame) => moved(this.view, across, down, size, frame));
  }

  windowBy(across, down) {
    if (this.film) this.setWindow(dragged(this.window, across, down, this.film.facts));
  }

  setWindow(window) {
    this.window = window;
    this.#updateColours();
  }

  setOwnWindow() {
    if (this.film) this.setWindow(ownWindow(this.film.facts));
  }

  invert() {
    this.inverted = !this.inverted;
    this.#updateColours();
  }

  turn() {
    this.#orient(turnedRight(this.orientation));
  }

  mirror() {
    this.#orient(mirrored(this.orientation));
  }

  get orientationText() {
    return orientationText(this.orientation);
  }

  #orient(orientation) {
    if (!this.source) return;
    this.orientation = orientation;
    this.film = this.source.turned(orientation);
    this.fit();
  }

  reset() {
    if (!this.film) return;
    this.orientation = UPRIGHT;
    this.film = this.source;
    this.inverted = false;
    this.window = ownWindow(this.film.facts);
    this.fit();
    this.#updateColours();
  }

  // How the film is shown, in terms that hold for any other film; null without one.
  get look() {
    if (!this.film || !this.view) return null;
    return {
      isFitted: this.isFitted,
      ...relativeOf(this.view, this.size, this.frame),
      ...relativeWindow(this.window, this.film.facts),
      inverted: this.inverted,
    };
  }

  // Shows its film as another one is shown. look: of that one.
  follow(look) {
    const own = this.look;
    if (!own || Object.keys(look).every((name) => isAlike(own[name], look[name]))) return;
    this.isFitted = look.isFitted;
    this.view = look.isFitted ? fitted(this.size, this.frame) : viewFrom(look, this.size, this.frame);
    this.window = windowFrom(look, this.film.facts);
    this.inverted = look.inverted;
    this.#updateColours();
  }

  pointAt(point) {
    this.point = point;
    if (this.film) this.onChange(this);
  }

  // The film's value under the pointer; null where there is none.
  get valueAtPoint() {
    if (!this.point || !this.film) return null;
    const { x, y } = positionAt(this.view, this.point, this.frame);
    return this.film.valueAt(x, y);
  }

  // The position in the film as it was sent under a point of the canvas, and the way back.
  positionOf(point) {
    return turnedBack(positionAt(this.view, point, this.frame), this.source.facts, this.orientation);
  }

  pointOf(position) {
    return pointAt(this.view, turned(position, this.source.facts, this.orientation), this.frame);
  }

  // From positions in the film as it was sent to pixels of the canvas, for CanvasRenderingContext2D.
  get transform() {
    const [corner, right, below] = [{ x: 0, y: 0 }, { x: 1, y: 0 }, { x: 0, y: 1 }].map((at) => this.pointOf(at));
    return [right.x - corner.x, right.y - corner.y, below.x - corner.x, below.y - corner.y, corner.x, corner.y];
  }

  // A ruler in CSS pixels; null where the size of a pixel is unknown.
  get ruler() {
    const spacing = this.film?.facts.spacing;
    if (!spacing || !this.view) return null;
    const { mm, pixels } = rulerOf(this.view, this.size, spacing[1]);
    return { mm, pixels: pixels / devicePixelRatio };
  }

  #changeView(change) {
    if (!this.film) return;
    this.isFitted = false;
    this.#setView(change(this.size, this.frame));
  }

  #setView(view) {
    this.view = view;
    this.#draw();
  }

  #updateColours() {
    if (!this.film) return;
    const { padded } = this.film.facts;
    this.colours = coloursOf(greysThrough(this.film, this.window), { inverted: this.inverted, padded });
    this.#draw();
  }

  #resize() {
    const box = this.canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(box.width * devicePixelRatio));
    const height = Math.max(1, Math.round(box.height * devicePixelRatio));
    if (this.image?.width === width && this.image?.height === height) return;
    [this.canvas.width, this.canvas.height] = [width, height];
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    if (this.film) this.#setView(this.isFitted ? fitted(this.size, this.frame) : this.view);
  }

  // Draws once at the next frame of the screen, however often it is called until then.
  #draw() {
    this.pendingFrame ??= requestAnimationFrame(() => {
      this.pendingFrame = null;
      const start = performance.now();
      if (this.film && this.colours) render(this.pixels, this.size, this.film, this.view, this.colours);
      else this.pixels.fill(0xff000000);
      this.context.putImageData(this.image, 0, 0);
      this.canvas.dataset.paintMs = (performance.now() - start).toFixed(2);
      if (this.film) this.onChange(this);
    });
  }
}

// Views are rounded to pixels at one to one: then they are alike, and not the same.
function isAlike(first, second) {
  if (typeof first !== "number" || typeof second !== "number") return first === second;
  return Math.abs(first - second) < 0.002 * Math.max(1, Math.abs(second));
}
