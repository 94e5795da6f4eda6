// Small films of images that the networks were not given, as lateral ones: drawn from their pixels.

import { render } from "../viewer/renderer.js";
import { fetchFilm } from "../viewer/samples.js";
import { fitted } from "../viewer/view.js";
import { coloursOf } from "../viewer/window.js";

const SIDE = 96;

// Draws those of a strip, one after another, as each comes into view.
export function drawPreviews(section) {
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      draw(/** @type {HTMLCanvasElement} */ (target)).catch(() => {});
    }
  });
  for (const canvas of section.querySelectorAll("canvas[data-preview]")) observer.observe(canvas);
}

async function draw(canvas) {
  const film = await fetchFilm(canvas.dataset.preview, SIDE);
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const { rows, columns, padded } = film.facts;
  const view = fitted({ width, height }, { rows, columns, pixelHeight: film.pixelHeight });
  render(new Uint32Array(image.data.buffer), { width, height }, film, view, coloursOf(film.table, { inverted: false, padded }));
  context.putImageData(image, 0, 0);
}
