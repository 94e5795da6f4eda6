// From a chart, as the server describes it, to what uPlot wants.
import { colour, faint } from "./watching-colours.js";
import { written } from "./watching-words.js";

// Durations that people know, in seconds.
const DURATIONS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 259200, 604800, 2592000];
const FONT = "12px system-ui, sans-serif";

// The x axis, then the series of the plot: layers of bars are stacked, and a band has two more.
export function dataOf(chart) {
  return [places(chart), ...columns(chart).map((one) => one.values)];
}

export function options(chart) {
  const shown = columns(chart);
  return {
    scales: { x: { time: false, range: chart.kind === "diagonal" ? [0, 1] : sides(chart) }, y: heights(chart) },
    axes: [across(chart), upwards(chart)],
    series: [across_series(chart), ...shown.map((one) => series(chart, one))],
    bands: shown.flatMap((one, at) => (one.bound === "low" ? [{ series: [at, at + 1], fill: faint(one.colour) }] : [])),
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    hooks: { draw: [(plot) => levels(plot, chart)] },
    legend: { markers: { width: 2 } },
    padding: [10, chart.kind === "diagonal" ? 26 : 14, 0, 0],
  };
}

function places(chart) {
  return chart.x ?? chart.places.map((_, place) => place);
}

// Half a place on both sides, so that the first and the last bar are whole.
function sides(chart) {
  return [-0.6, chart.places.length - 0.4];
}

function columns(chart) {
  if (chart.kind === "stacked") return stacked(chart.series);
  return chart.series.flatMap((one) => [
    { ...one, raw: one.values },
    ...(one.low ? [{ ...one, bound: "high", values: one.high }, { ...one, bound: "low", values: one.low }] : []),
  ]);
}

// The whole first, so that each layer covers what is below it of the one before.
function stacked(layers) {
  const sums = layers[0].values.map(() => 0);
  const summed = layers.map((one) => {
    one.values.forEach((value, at) => (sums[at] += value ?? 0));
    return { ...one, raw: one.values, values: [...sums] };
  });
  return summed.reverse();
}

function series(chart, one) {
  const line = colour(one.colour);
  if (one.bound) return { label: `${one.label} ${one.bound}`, class: "unseen", stroke: "transparent", points: { show: false } };
  const common = {
    label: one.label,
    stroke: line,
    spanGaps: true,
    value: (_, __, ___, at) => (at === null ? "" : written(one.raw[at], chart.unit)),
  };
  if (chart.kind === "stacked") {
    return { ...common, fill: line, width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.75, 48] }) };
  }
  const few = chart.places.length <= 40;
  return { ...common, width: 1.75, dash: one.dashed ? [5, 4] : undefined, points: { show: few, size: 5, fill: line } };
}

function across_series(chart) {
  return { label: chart.x_label, value: (_, __, ___, at) => (at === null ? "" : chart.places[at]) };
}

function heights(chart) {
  if (chart.logarithmic) return { distr: 3, range: (_, low, high) => (low === null ? [1, 10] : [low / 1.5, high * 1.5]) };
  if (chart.unit === "share") return { range: (_, low, high) => shares(low, high, chart) };
  const most = Math.max(0, ...chart.levels.map((one) => one.value));
  return { range: (_, __, high) => [0, Math.max(high ?? 0, most) * 1.08 || 1] };
}

// A share near 100 % is looked at from above half, one near 0 % from below.
function shares(low, high, chart) {
  if (chart.kind === "diagonal" || low === null) return [0, 1];
  const bounds = [low, high, ...chart.levels.map((one) => one.value)];
  const step = 0.1;
  return [Math.floor(Math.min(...bounds) / step) * step, Math.min(1, Math.ceil(Math.max(...bounds) / step) * step)];
}

function axis(label) {
  return {
    label,
    labelFont: FONT,
    font: FONT,
    labelSize: 18,
    stroke: colour("soft"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
  };
}

function across(chart) {
  const numbers = chart.kind === "diagonal";
  return {
    ...axis(chart.x_label),
    size: 34,
    space: 64,
    ...(numbers ? {} : { incrs: [1, 2, 7, 14, 28, 56, 112], grid: { show: false } }),
    values: (_, splits) => splits.map((at) => (numbers ? written(at, "share") : chart.places[at]?.split(" – ")[0] ?? "")),
  };
}

function upwards(chart) {
  return {
    ...axis(chart.y_label),
    size: 58,
    ...(chart.logarithmic ? { splits: (_, __, low, high) => DURATIONS.filter((one) => one >= low && one <= high), filter: (_, splits) => splits } : {}),
    values: (_, splits) => splits.map((value) => (value === null ? "" : written(value, chart.unit))),
  };
}

// The diagonal, and the values that lines should not cross, with their names.
function levels(plot, chart) {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.strokeStyle = colour("soft");
  ctx.fillStyle = colour("soft");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  if (chart.kind === "diagonal") line(ctx, left, plot.valToPos(0, "y", true), left + width, plot.valToPos(1, "y", true));
  let above = -Infinity;
  for (const one of [...chart.levels].sort((a, b) => b.value - a.value)) {
    const y = plot.valToPos(one.value, "y", true);
    if (y < top || y > top + height) continue;
    line(ctx, left, y, left + width, y);
    // Where two names would lie on each other, the upper one is said.
    if (y - above < 14 * devicePixelRatio) continue;
    above = y;
    ctx.fillText(one.label, left + width - 4, y - 4 * devicePixelRatio);
  }
  ctx.restore();
}

function line(ctx, fromX, fromY, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}
