// Heat maps over a film: asked for, waited for, laid over it, and explained in a sentence.

import { recolour } from "./film-colours.js";
import { refusalOf } from "./film-samples.js";

// How long to wait before looking again whether a map is made, at first and at the most.
const FIRST_PAUSE = 700;
const LONGEST_PAUSE = 4000;
const NAMES = { grad_cam: "Grad-CAM", lime: "LIME" };
const IN_WORK = { grad_cam: "The heat map is in work …", lime: "LIME is in work; it takes about a minute …" };
const LEGEND = {
  grad_cam:
    "Where the networks found what speaks for pneumonia; not how likely it is, no segmentation.",
  lime:
    "Orange: what speaks for pneumonia to the networks; blue: what speaks against. Not how likely it is, no segmentation.",
};

export class HeatLayer {
  // part: gives the elements of the viewer by name.
  constructor(part) {
    this.part = part;
    this.canvas = part("heat");
    this.context = this.canvas.getContext("2d");
    this.sha256 = null;
    this.isOn = false;
    part("heat-map").addEventListener("click", () => this.toggle());
    part("method").addEventListener("change", () => this.isOn && this.#show());
    part("renew").addEventListener("click", () => this.#show({ anew: true }));
    part("opacity").addEventListener("input", () => this.#fade());
    this.#fade();
  }

  get method() {
    return this.part("method").value;
  }

  // From now on it is about another film.
  about(sha256) {
    this.sha256 = sha256;
    this.map = this.told = null;
    this.#clear();
    if (this.isOn) this.#show();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.part("heat-map").setAttribute("aria-pressed", String(this.isOn));
    this.part("heat-tools").hidden = !this.isOn;
    if (this.isOn) return this.#show();
    this.turn = null;
    this.map = null;
    this.#say("");
    this.#clear();
  }

  // Lays the map over the film, as the film lies now.
  draw(stage) {
    this.stage = stage;
    const { width, height } = stage.size;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    this.#clear();
    if (!this.map || !stage.film) return;
    const { view, frame } = stage;
    const down = view.scale * frame.pixelHeight;
    const { top, left, bottom, right } = this.map.area;
    this.context.imageSmoothingEnabled = this.map.method === "grad_cam";
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(
      this.map.picture,
      (left * frame.columns - view.x) * view.scale,
      (top * frame.rows - view.y) * down,
      (right - left) * frame.columns * view.scale,
      (bottom - top) * frame.rows * down,
    );
  }

  // anew: by the present ensemble, though there is one by an older one.
  async #show({ anew } = {}) {
    // Whoever asks for something else in the meantime has the last word.
    const turn = (this.turn = {});
    this.map = null;
    this.#clear();
    const { sha256, method } = this;
    try {
      const found = await this.#waitFor(sha256, method, turn, anew);
      if (!found || turn !== this.turn) return;
      const picture = await pictureOf(sha256, found);
      if (turn !== this.turn) return;
      this.map = { method, picture, area: found.area ?? WHOLE };
      this.#say(legendOf(found), method);
      this.part("renew").hidden = found.current;
      if (this.stage) this.draw(this.stage);
    } catch (error) {
      if (turn === this.turn) this.#say(error instanceof TypeError ? "The server does not answer." : error.message);
    }
  }

  // The map once it is made; null if somebody asked for something else, or it failed.
  async #waitFor(sha256, method, turn, anew) {
    let found = newest(await ask(sha256), method);
    if (found?.state === "failed" && this.told !== found.wanted_at) return this.#tellWhy(found);
    if (!found || anew || found.state === "failed") found = newest(await ask(sha256, method), method);
    for (let pause = FIRST_PAUSE; found.state === "wanted"; pause = Math.min(1.3 * pause, LONGEST_PAUSE)) {
      this.#say(IN_WORK[method]);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (turn !== this.turn) return null;
      if (document.hidden) continue;
      found = newest(await ask(sha256), method);
    }
    return found.state === "made" ? found : this.#tellWhy(found);
  }

  // Why there is none. Whoever then asks once more has it tried again.
  #tellWhy(failed) {
    this.told = failed.wanted_at;
    this.#say(`${failed.reason} Ask again to have it tried again.`);
    return null;
  }

  #say(text, method) {
    this.part("legend").hidden = !text;
    this.part("legend-text").textContent = text;
    this.part("scale").hidden = !method;
    this.part("renew").hidden = true;
    this.part("scale").dataset.method = method ?? "";
  }

  #fade() {
    this.canvas.style.opacity = String(Number(this.part("opacity").value) / 100);
  }

  #clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

const WHOLE = { top: 0, left: 0, bottom: 1, right: 1 };

function legendOf({ method, ensemble_version: version, current }) {
  const by = `${NAMES[method]}, ensemble ${version}${current ? "" : ", which is not the present one"}.`;
  return `${LEGEND[method]} ${by}`;
}

// The maps come with the latest first.
function newest(maps, method) {
  return maps.find((each) => each.method === method);
}

// The maps of a film; with a method, after asking for one by it.
async function ask(sha256, method) {
  const wish = method && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ method }),
  };
  const answer = await fetch(`/api/v1/images/${sha256}/heat-maps`, wish);
  if (!answer.ok) throw new Error(await refusalOf(answer));
  return answer.json();
}

async function pictureOf(sha256, { method, ensemble_version: version, made_at: at }) {
  const image = new Image();
  const which = new URLSearchParams({ ensemble: version });
  image.src = `/api/v1/images/${sha256}/heat-maps/${method}.png?${which}#${at}`;
  await image.decode().catch(() => {
    throw new Error("The heat map is gone; ask for it again.");
  });
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  recolour(data.data, method);
  context.putImageData(data, 0, 0);
  return canvas;
}
