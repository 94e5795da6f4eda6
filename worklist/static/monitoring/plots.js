// Options and data for uPlot, from a chart as the server describes it.
import { colour, faintColour } from "./colours.js";

// Steps between two ticks of an axis; the server sends texts for their multiples.
const STEPS = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${power}`)));
const FONT = "12px system-ui, sans-serif";

// The x axis, then the series of the plot: layers of bars are stacked, and a band has two more.
export function plotData(chart) {
  return [xValues(chart), ...plotSeries(chart).map((series) => series.values)];
}

export function options(chart) {
  const series = plotSeries(chart);
  const bandAt = ({ bound, colour: name }, index) => (bound === "low" ? [{ series: [index, index + 1], fill: faintColour(name) }] : []);
  return {
    scales: { x: { time: false, range: xRange(chart) }, y: yScale(chart) },
    axes: [xAxis(chart), yAxis(chart)],
    series: [xSeriesOptions(chart), ...series.map((each) => seriesOptions(chart, each))],
    bands: series.flatMap(bandAt),
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    hooks: { draw: [(plot) => drawLevels(plot, chart)] },
    legend: { markers: { width: 2 } },
    padding: [10, chart.kind === "diagonal" ? 26 : 14, 0, 0],
  };
}

function xValues(chart) {
  return chart.x ?? chart.places.map((_, index) => index);
}

// With half a bar on both sides, so that the first and the last bar are whole.
function xRange(chart) {
  return chart.kind === "diagonal" ? [0, 1] : [-0.6, chart.places.length - 0.4];
}

function plotSeries(chart) {
  if (chart.kind === "stacked") return stacked(chart.series);
  return chart.series.flatMap((series) => [
    series,
    ...(series.low ? [{ ...series, bound: "high", values: series.high }, { ...series, bound: "low", values: series.low }] : []),
  ]);
}

// Sums of the layers, the greatest first, so that each layer is drawn over the one before.
function stacked(layers) {
  const sums = layers[0].values.map(() => 0);
  const summed = layers.map((layer) => {
    layer.values.forEach((value, index) => (sums[index] += value ?? 0));
    return { ...layer, values: [...sums] };
  });
  return summed.reverse();
}

function seriesOptions(chart, series) {
  const { label, bound, texts, dashed } = series;
  if (bound) return { label: `${label} ${bound}`, class: "unseen", stroke: "transparent", points: { show: false } };
  const stroke = colour(series.colour);
  const common = {
    label,
    stroke,
    spanGaps: true,
    value: (_, __, ___, index) => (index === null ? "" : texts[index]),
  };
  if (chart.kind === "stacked") {
    return { ...common, fill: stroke, width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.75, 48] }) };
  }
  const few = chart.places.length <= 40;
  return { ...common, width: 1.75, dash: dashed ? [5, 4] : undefined, points: { show: few, size: 5, fill: stroke } };
}

function xSeriesOptions(chart) {
  return { label: chart.x_label, value: (_, __, ___, index) => (index === null ? "" : chart.places[index]) };
}

function yScale(chart) {
  if (chart.logarithmic) return { distr: 3, range: (_, low, high) => (low === null ? [1, 10] : [low / 1.5, high * 1.5]) };
  if (chart.unit === "share") return { range: (_, low, high) => shareRange(low, high, chart) };
  const highestLevel = Math.max(0, ...chart.levels.map((level) => level.value));
  return { range: (_, __, high) => [0, Math.max(high ?? 0, highestLevel) * 1.08 || 1] };
}

// The part of 0 to 100 % around the values, in steps of 10 %.
function shareRange(low, high, chart) {
  if (chart.kind === "diagonal" || low === null) return [0, 1];
  const bounds = [low, high, ...chart.levels.map((level) => level.value)];
  const step = 0.1;
  return [Math.floor(Math.min(...bounds) / step) * step, Math.min(1, Math.ceil(Math.max(...bounds) / step) * step)];
}

function axisOptions(label) {
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

function xAxis(chart) {
  const isNumeric = chart.kind === "diagonal";
  const texts = new Map(chart.ticks);
  return {
    ...axisOptions(chart.x_label),
    size: 34,
    space: 64,
    ...(isNumeric ? { incrs: STEPS } : { incrs: [1, 2, 7, 14, 28, 56, 112], grid: { show: false } }),
    values: (_, splits) => splits.map((x) => (isNumeric ? texts.get(x) ?? "" : chart.places[x]?.split(" – ")[0] ?? "")),
  };
}

function yAxis(chart) {
  const texts = new Map(chart.ticks);
  const between = (_, __, low, high) => [...texts.keys()].filter((value) => value >= low && value <= high);
  return {
    ...axisOptions(chart.y_label),
    size: 58,
    ...(chart.logarithmic ? { splits: between, filter: (_, splits) => splits } : { incrs: STEPS }),
    values: (_, splits) => splits.map((value) => texts.get(value) ?? ""),
  };
}

// Draws the diagonal, and the levels that lines should not cross, with their labels.
function drawLevels(plot, chart) {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  ctx.save();
  ctx.strokeStyle = colour("soft");
  ctx.fillStyle = colour("soft");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  if (chart.kind === "diagonal") drawLine(ctx, left, plot.valToPos(0, "y", true), left + width, plot.valToPos(1, "y", true));
  let lastLabel = -Infinity;
  for (const level of [...chart.levels].sort((a, b) => b.value - a.value)) {
    const y = plot.valToPos(level.value, "y", true);
    if (y < top || y > top + height) continue;
    drawLine(ctx, left, y, left + width, y);
    // Of two labels that would overlap, only the upper one is drawn.
    if (y - lastLabel < 14 * devicePixelRatio) continue;
    lastLabel = y;
    ctx.fillText(level.label, left + width - 4, y - 4 * devicePixelRatio);
  }
  ctx.restore();
}

function drawLine(ctx, fromX, fromY, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}
