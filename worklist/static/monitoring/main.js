// Draws the charts of the page by uPlot, from the data that the page brings, in our colours.
import { options, plotData } from "./plots.js";

const charts = new Map(JSON.parse(document.getElementById("chart-data").textContent).map((chart) => [chart.id, chart]));
// By the element that they are drawn in.
const plots = new Map();

function draw(element) {
  plots.get(element)?.destroy();
  const chart = charts.get(element.dataset.chart);
  const size = { width: element.clientWidth, height: element.closest(".small") ? 190 : 240 };
  plots.set(element, new window.uPlot({ ...options(chart), ...size }, plotData(chart), element));
}

function drawAll() {
  for (const element of document.querySelectorAll(".plot")) draw(element);
}

const resizeObserver = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = plots.get(target);
    if (plot && Math.round(contentRect.width) !== plot.width) {
      plot.setSize({ width: Math.round(contentRect.width), height: plot.height });
    }
  }
});

drawAll();
for (const element of document.querySelectorAll(".plot")) resizeObserver.observe(element);
// A canvas keeps the colours that it was drawn with.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
