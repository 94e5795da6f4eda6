// The canvas of a film: which film it shows, where, and through which window.

import { paint } from "./film-paint.js";
import { actual, fitted, moved, placeAt, rulerOf, zoomed } from "./film-view.js";
import { coloursOf, dragged, greysThrough, ownWindow } from "./film-window.js";

export class Stage {
  // canvas: on which the film is painted. onChange: told after each painting.
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.onChange = onChange;
    this.film = null;
    this.view = null;
    this.isFitted = true;
    this.inverted = false;
    this.point = null;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  // Shows a film. isSame: it is the one that is shown, at another scale, and stays as it is.
  show(film, isSame) {
    this.film = film;
    if (!isSame || !this.view) {
      this.inverted = false;
      this.shown = ownWindow(film.facts);
      this.fit();
    } else if (this.shown.isOwn) this.shown = ownWindow(film.facts);
    this.#recolour();
  }

  hide() {
    this.film = null;
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
    this.#look(fitted(this.size, this.frame));
  }

  actual() {
    this.#go((size, frame) => actual(this.view, size, frame));
  }

  // point: of the canvas; without one, its middle.
  zoomBy(factor, point) {
    const { width, height } = this.size;
    const about = point ?? { x: width / 2, y: height / 2 };
    this.#go((size, frame) => zoomed(this.view, factor, about, size, frame));
  }

  moveBy(across, down) {
    this.#go((size, frame) => moved(this.view, across, down, size, frame));
  }

  windowBy(across, down) {
    if (this.film) this.showThrough(dragged(this.shown, across, down, this.film.facts));
  }

  showThrough(shown) {
    this.shown = shown;
    this.#recolour();
  }

  invert() {
    this.inverted = !this.inverted;
    this.#recolour();
  }

  reset() {
    if (!this.film) return;
    this.inverted = false;
    this.shown = ownWindow(this.film.facts);
    this.fit();
    this.#recolour();
  }

  pointAt(point) {
    this.point = point;
    if (this.film) this.onChange(this);
  }

  // The film's value under the pointer; null where there is none.
  get valueAtPoint() {
    if (!this.point || !this.film) return null;
    const place = placeAt(this.view, this.point, this.frame);
    return this.film.valueAt(place.x, place.y);
  }

  // A ruler in CSS pixels; null where nobody knows how large a pixel is.
  get ruler() {
    const spacing = this.film?.facts.spacing;
    if (!spacing || !this.view) return null;
    const { mm, pixels } = rulerOf(this.view, this.size, spacing[1]);
    return { mm, pixels: pixels / devicePixelRatio };
  }

  #go(to) {
    if (!this.film) return;
    this.isFitted = false;
    this.#look(to(this.size, this.frame));
  }

  #look(view) {
    this.view = view;
    this.#draw();
  }

  #recolour() {
    if (!this.film) return;
    const { padded } = this.film.facts;
    this.colours = coloursOf(greysThrough(this.film, this.shown), { inverted: this.inverted, padded });
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
    if (this.film) this.#look(this.isFitted ? fitted(this.size, this.frame) : this.view);
  }

  // At the next frame of the screen, however often it is asked for until then.
  #draw() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      const begun = performance.now();
      if (this.film && this.colours) paint(this.pixels, this.size, this.film, this.view, this.colours);
      else this.pixels.fill(0xff000000);
      this.context.putImageData(this.image, 0, 0);
      this.canvas.dataset.paintMs = (performance.now() - begun).toFixed(2);
      if (this.film) this.onChange(this);
    });
  }
}
