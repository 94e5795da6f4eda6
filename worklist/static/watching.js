// Draws the plots of the page from the figures that it brings. uPlot draws; its colours are ours.
import { options, dataOf } from "./watching-plots.js";

const charts = new Map(JSON.parse(document.getElementById("drawn").textContent).map((one) => [one.id, one]));
const drawn = new Map();

function draw(place) {
  drawn.get(place)?.destroy();
  const chart = charts.get(place.dataset.chart);
  const size = { width: place.clientWidth, height: place.closest(".small") ? 190 : 240 };
  drawn.set(place, new window.uPlot({ ...options(chart), ...size }, dataOf(chart), place));
}

function drawAll() {
  for (const place of document.querySelectorAll(".plot")) draw(place);
}

const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = drawn.get(target);
    if (plot && Math.round(contentRect.width) !== plot.width) {
      plot.setSize({ width: Math.round(contentRect.width), height: plot.height });
    }
  }
});

drawAll();
for (const place of document.querySelectorAll(".plot")) widths.observe(place);
// A canvas keeps the colours that it was drawn with.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
