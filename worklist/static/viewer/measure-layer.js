// Measuring with the pointer: points are set by clicks or drags, and drawn over the film. Nothing is kept.

import { gettext } from "../common/texts.js";
import { angleText, lengthText, ratioText } from "./measure.js";

const COLOUR = "#ffd54a";
// CSS pixels from where a drag is no click.
const DRAG = 5;
// points: how many a measurement needs. level: its second points lie as high as their first ones.
const KINDS = {
  distance: { points: 2, steps: [gettext("Set two points.")], text: (points, facts) => lengthText(points[0], points[1], facts) },
  angle: { points: 3, steps: [gettext("Set one end, the corner, and the other end.")], text: angleText },
  ratio: {
    points: 4,
    level: true,
    steps: [gettext("Draw across the heart, at its widest."), gettext("Draw across the chest, at its widest.")],
    text: ratioText,
  },
};

export class MeasureLayer {
  // element: returns an element of the viewer by its name. film: the FilmCanvas. viewOf: returns the
  // view position of the film that is shown.
  constructor(element, film, viewOf) {
    this.element = element;
    this.film = film;
    this.viewOf = viewOf;
    this.context = element("marks").getContext("2d");
    this.kind = null;
    this.done = [];
    this.points = [];
    this.pointer = null;
  }

  get isActive() {
    return this.kind !== null;
  }

  // Takes a tool into the hand, or lays it down.
  choose(kind) {
    this.kind = this.kind === kind ? null : kind;
    this.points = [];
    this.#update();
  }

  cancel() {
    if (this.isActive) this.choose(this.kind);
  }

  clear() {
    this.done = [];
    this.kind = null;
    this.points = [];
    this.#update();
  }

  // point: of the canvas, in its pixels.
  down(point) {
    this.start = point;
    this.#add(point);
  }

  move(point) {
    this.pointer = point;
    if (this.isActive && this.points.length) this.draw();
  }

  up(point) {
    const isDrag = this.start && Math.hypot(point.x - this.start.x, point.y - this.start.y) > DRAG * devicePixelRatio;
    this.start = null;
    // A drag sets both of its ends.
    if (isDrag && this.isActive) this.#add(point);
  }

  draw() {
    const { context, film } = this;
    const { canvas } = context;
    const { width, height } = film.size;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.clearRect(0, 0, width, height);
    if (!film.film) return;
    for (const { kind, points } of this.done) this.#drawOne(kind, points, this.#textOf(kind, points).split(/[:.(] /)[0]);
    if (this.isActive) this.#drawOne(this.kind, this.#withPointer(), "");
  }

  #add(point) {
    const { kind } = this;
    this.points.push(this.film.positionOf(this.#levelled(point)));
    if (this.points.length === KINDS[kind].points) {
      this.done.push({ kind, points: this.points });
      this.kind = null;
      this.points = [];
    }
    this.#update();
  }

  // The second point of a pair lies as high as the first one.
  #levelled(point) {
    if (!KINDS[this.kind].level || this.points.length % 2 === 0) return point;
    return { x: point.x, y: this.film.pointOf(this.points.at(-1)).y };
  }

  #withPointer() {
    if (!this.pointer || !this.points.length) return this.points;
    return [...this.points, this.film.positionOf(this.#levelled(this.pointer))];
  }

  #textOf(kind, points) {
    return KINDS[kind].text(points, this.film.source.facts, this.viewOf());
  }

  #update() {
    for (const name of Object.keys(KINDS)) {
      this.element(name)?.setAttribute("aria-pressed", String(this.kind === name));
    }
    const step = this.isActive && KINDS[this.kind].steps[Math.floor(this.points.length / 2)];
    const texts = this.done.map(({ kind, points }) => sentence(this.#textOf(kind, points)));
    const hint = texts.length && !this.isActive ? gettext("Delete removes it; nothing is kept.") : "";
    this.element("measures").textContent = [...texts, step || (this.isActive ? KINDS[this.kind].steps.at(-1) : ""), hint].filter(Boolean).join(" ");
    this.draw();
  }

  #drawOne(kind, points, label) {
    const { context } = this;
    const at = points.map((point) => this.film.pointOf(point));
    context.lineWidth = 1.5 * devicePixelRatio;
    context.strokeStyle = context.fillStyle = COLOUR;
    context.beginPath();
    at.forEach(({ x, y }, index) => {
      const isStart = index === 0 || (KINDS[kind].level && index === 2);
      if (isStart) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    context.stroke();
    for (const { x, y } of at) context.fillRect(x - 2 * devicePixelRatio, y - 2 * devicePixelRatio, 4 * devicePixelRatio, 4 * devicePixelRatio);
    if (!label) return;
    context.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
    context.lineWidth = 3 * devicePixelRatio;
    context.strokeStyle = "#000";
    const last = at.at(-1);
    context.strokeText(label, last.x + 6 * devicePixelRatio, last.y - 6 * devicePixelRatio);
    context.fillText(label, last.x + 6 * devicePixelRatio, last.y - 6 * devicePixelRatio);
  }
}

function sentence(text) {
  const capital = text[0].toUpperCase() + text.slice(1);
  return /[.]$/.test(capital) ? capital : `${capital}.`;
}
