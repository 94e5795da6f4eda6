// Heat maps over a film: requested, polled until they are made, drawn, and explained in a sentence.

import { gettext, inLanguage } from "../common/texts.js";
import { applyColours, strengthOf } from "./colours.js";
import { errorOf } from "./samples.js";

// Milliseconds between two requests for a map that is being made, at first and at most.
const FIRST_PAUSE = 700;
const LONGEST_PAUSE = 4000;
const NAMES = { grad_cam: "Grad-CAM", lime: "LIME" };
const IN_WORK = {
  grad_cam: gettext("The heat map is in work …"),
  lime: gettext("LIME is in work; it takes about a minute …"),
};
const LEGEND = {
  grad_cam: gettext("Areas that raised the score. Not a probability and not an outline of disease."),
  lime: gettext("Orange: what speaks for pneumonia to the networks; blue: what speaks against. Not how likely it is, no segmentation."),
};
const WHOLE = { top: 0, left: 0, bottom: 1, right: 1 };

export class HeatMapLayer {
  // element: returns an element of the viewer by its name. scoreOf: returns { probability, threshold,
  // percent } of the film that is shown; null without a score.
  constructor(element, scoreOf) {
    this.element = element;
    this.scoreOf = scoreOf;
    this.canvas = element("heat");
    this.context = this.canvas.getContext("2d");
    this.sha256 = null;
    this.isOn = false;
    element("heat-map").addEventListener("click", () => this.toggle());
    element("method").addEventListener("change", () => this.isOn && this.#load());
    element("renew").addEventListener("click", () => this.#load({ renew: true }));
    element("opacity").addEventListener("input", () => this.#setOpacity());
    this.#setOpacity();
  }

  get method() {
    return this.element("method").value;
  }

  // Changes to another image; null for none.
  setImage(sha256) {
    this.sha256 = sha256;
    this.request = null;
    this.map = this.reportedFailure = null;
    this.#clear();
    if (this.isOn && sha256) this.#load();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.element("heat-map").setAttribute("aria-pressed", String(this.isOn));
    this.element("heat-tools").hidden = !this.isOn;
    if (this.isOn) return this.#load();
    this.request = null;
    this.map = null;
    this.#showLegend("");
    this.#clear();
  }

  // Draws the map over the film, by the film's present view.
  draw(filmCanvas) {
    this.filmCanvas = filmCanvas;
    const { width, height } = filmCanvas.size;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    this.#clear();
    if (!this.map || !filmCanvas.film) return;
    const { rows, columns } = filmCanvas.source.facts;
    this.context.setTransform(...filmCanvas.transform);
    const { top, left, bottom, right } = this.map.area;
    this.context.imageSmoothingEnabled = this.map.method === "grad_cam";
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(
      this.map.picture,
      left * columns,
      top * rows,
      (right - left) * columns,
      (bottom - top) * rows,
    );
  }

  // renew: by the present ensemble, though there is one by an older one.
  async #load({ renew = false } = {}) {
    // A later request makes this one obsolete.
    const request = (this.request = {});
    this.map = null;
    this.#clear();
    const { sha256, method } = this;
    try {
      const map = await this.#waitFor(sha256, method, request, renew);
      if (!map || request !== this.request) return;
      const picture = await pictureOf(sha256, map, strengthOf(this.scoreOf()));
      if (request !== this.request) return;
      this.map = { method, picture, area: map.area ?? WHOLE };
      this.#showLegend(legendOf(map, this.scoreOf()), method);
      this.element("renew").hidden = map.current;
      if (this.filmCanvas) this.draw(this.filmCanvas);
    } catch (error) {
      if (request === this.request) this.#showLegend(error instanceof TypeError ? gettext("The server does not answer.") : error.message);
    }
  }

  // Resolves to the map once it is made; to null if it failed, or the request is obsolete.
  async #waitFor(sha256, method, request, renew) {
    let map = latest(await fetchMaps(sha256), method);
    if (map?.state === "failed" && this.reportedFailure !== map.wanted_at) return this.#reportFailure(map);
    if (!map || renew || map.state === "failed") map = latest(await requestMap(sha256, method), method);
    for (let pause = FIRST_PAUSE; map.state === "wanted"; pause = Math.min(1.3 * pause, LONGEST_PAUSE)) {
      this.#showLegend(IN_WORK[method]);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (request !== this.request) return null;
      if (document.hidden) continue;
      map = latest(await requestMap(sha256, method), method);
    }
    return map.state === "made" ? map : this.#reportFailure(map);
  }

  // Shows why there is no map. The next load tries it again.
  #reportFailure(map) {
    this.reportedFailure = map.wanted_at;
    this.#showLegend(gettext("{reason} Ask again to have it tried again.", map));
    return null;
  }

  #showLegend(text, method) {
    this.element("legend").hidden = !text;
    this.element("legend-text").textContent = text;
    this.element("scale").hidden = !method;
    this.element("renew").hidden = true;
    this.element("scale").dataset.method = method ?? "";
  }

  #setOpacity() {
    this.canvas.style.opacity = String(Number(this.element("opacity").value) / 100);
  }

  #clear() {
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

function legendOf({ method, ensemble_version: version, current }, score) {
  const isUnlikely = score && score.probability < score.threshold;
  const unlikely = isUnlikely ? `${gettext("The AI scored {percent}. The map shows the least unlikely place.", score)} ` : "";
  const values = { method: NAMES[method], version };
  const source = current
    ? gettext("{method}, ensemble {version}.", values)
    : gettext("{method}, ensemble {version}, which is not the present one.", values);
  return `${unlikely}${LEGEND[method]} ${source}`;
}

// The maps come with the latest first.
function latest(maps, method) {
  return maps.find((map) => map.method === method);
}

async function fetchMaps(sha256, options) {
  const response = await fetch(`/api/v1/images/${sha256}/heat-maps`, inLanguage(options));
  if (!response.ok) throw new Error(await errorOf(response));
  return response.json();
}

// Resolves to all maps of the image, after requesting one by this method.
function requestMap(sha256, method) {
  return fetchMaps(sha256, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ method }),
  });
}

async function pictureOf(sha256, { method, ensemble_version: version, made_at: madeAt }, strength) {
  const image = new Image();
  const query = new URLSearchParams({ ensemble: version });
  image.src = `/api/v1/images/${sha256}/heat-maps/${method}.png?${query}#${madeAt}`;
  await image.decode().catch(() => {
    throw new Error(gettext("The heat map is gone; ask for it again."));
  });
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  applyColours(data.data, method, strength);
  context.putImageData(data, 0, 0);
  return canvas;
}
