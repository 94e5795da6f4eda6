// The overlays of a film (groups 60xx): fetched if it has any, and drawn over it until they are hidden.

import { gettext } from "../common/texts.js";

const COLOUR = "#7fe0a0";

export class OverlayLayer {
  // element: returns an element of the viewer by its name.
  constructor(element) {
    this.element = element;
    this.context = element("overlay").getContext("2d");
    this.isOn = true;
    this.sha256 = this.picture = null;
  }

  // Changes to another film. Throws nothing: a film whose overlay cannot be had says so.
  async setFilm(sha256, facts, onLoad) {
    if (this.sha256 === sha256) return;
    this.sha256 = sha256;
    this.facts = facts;
    this.picture = null;
    this.failed = false;
    this.#showButton();
    if (!facts.overlays) return;
    const picture = await fetchOverlay(sha256).catch(() => null);
    if (this.sha256 !== sha256) return;
    this.picture = picture;
    this.failed = picture === null;
    onLoad();
  }

  clear() {
    this.sha256 = this.picture = null;
    this.facts = null;
    this.#showButton();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.#showButton();
  }

  // What is to be said of it in the corner of the film; empty without overlays.
  get text() {
    const { facts, picture, isOn, failed } = this;
    if (!facts) return "";
    return [
      facts.overlays && failed ? gettext("has an overlay that cannot be shown") : "",
      facts.overlays && !failed && !isOn ? gettext("overlay hidden") : "",
      facts.overlays && !failed && isOn && picture ? gettext("with overlay") : "",
      facts.overlays_not_shown ? gettext("has an overlay that is not shown") : "",
    ].filter(Boolean).join(" · ");
  }

  draw(filmCanvas) {
    const { context } = this;
    const { canvas } = context;
    const { width, height } = filmCanvas.size;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.isOn || !this.picture || !filmCanvas.film) return;
    context.setTransform(...filmCanvas.transform);
    // A line of one pixel must be seen on a film that is shown small.
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, 0, 0);
  }

  #showButton() {
    const button = this.element("overlays");
    button.hidden = !this.facts?.overlays;
    button.setAttribute("aria-pressed", String(this.isOn));
  }
}

// Resolves to a canvas of the film's size: coloured where the overlays draw, clear elsewhere.
async function fetchOverlay(sha256) {
  const image = new Image();
  image.src = `/api/v1/images/${sha256}/overlay`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(COLOUR.slice(at, at + 2), 16));
  for (let at = 0; at < data.data.length; at += 4) data.data.set([red, green, blue, data.data[at]], at);
  context.putImageData(data, 0, 0);
  return canvas;
}
