// Windows: from the values of a film to grey. Pure.

import { gettext } from "../common/texts.js";

// CSS pixels of a drag across that make a window e times as wide.
const DRAG_LENGTH = 300;
const MIN_WIDTH = 1;

// The window that the film itself brings; its table has the exact grey of each sample.
export function ownWindow(facts) {
  return { center: facts.center, width: facts.width, isOwn: true, name: "" };
}

// The grey of each sample through a window (PS3.3 C.11.2.1.2).
export function greysThrough(film, window) {
  const { facts, table } = film;
  if (window.isOwn) return table;
  const grey = voiFunction(window.function ?? "LINEAR", window.center, window.width);
  const greys = new Uint8Array(table.length);
  for (let sample = 0; sample < greys.length; sample += 1) {
    const shade = Math.round(grey(facts.slope * sample + facts.intercept));
    // A negative slope: low values are white.
    greys[sample] = facts.slope < 0 ? 255 - shade : shade;
  }
  if (facts.padded) greys[0] = 0;
  return greys;
}

// Colours of the canvas, 0xAABBGGRR, for each sample. Padding is black, inverted or not.
export function coloursOf(greys, { inverted, padded }) {
  const colours = new Uint32Array(greys.length);
  for (let sample = 0; sample < greys.length; sample += 1) {
    const grey = inverted ? 255 - greys[sample] : greys[sample];
    colours[sample] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
  }
  if (padded) colours[0] = 0xff000000;
  return colours;
}

// The window after a drag by CSS pixels: wider to the right, darker downwards, as on a PACS.
export function dragged(window, across, down, facts) {
  const width = Math.max(MIN_WIDTH, window.width * Math.exp(across / DRAG_LENGTH));
  const darker = facts.slope < 0 ? -1 : 1;
  const center = window.center + (darker * down * window.width) / DRAG_LENGTH;
  return { center, width, isOwn: false, name: "" };
}

// A window in terms of any film: by how much it differs from the film's own.
export function relativeWindow(window, facts) {
  if (window.isOwn) return { wider: 1, shifted: 0 };
  return { wider: window.width / facts.width, shifted: (window.center - facts.center) / facts.width };
}

// The window of a film that another film's relative window asks for.
export function windowFrom({ wider, shifted }, facts) {
  if (wider === 1 && shifted === 0) return ownWindow(facts);
  return { center: facts.center + shifted * facts.width, width: wider * facts.width, isOwn: false, name: "" };
}

function voiFunction(name, center, width) {
  if (name === "SIGMOID") {
    // PS3.3 C.11.2.1.3.1
    return (value) => 255 / (1 + Math.exp((-4 * (value - center)) / width));
  }
  // PS3.3 C.11.2.1.2.1, or C.11.2.1.3.2 for LINEAR_EXACT.
  const [middle, span] = name === "LINEAR_EXACT" ? [center, width] : [center - 0.5, width - 1];
  return (value) => {
    if (value <= middle - span / 2) return 0;
    if (value > middle + span / 2) return 255;
    return ((value - middle) / span + 0.5) * 255;
  };
}

// Windows that a film does not bring, by how its own values are distributed.
// Shares of the film's pixels that are black and that are not white. Brighter is denser.
const PRESETS = [
  { name: gettext("All values"), black: 0, white: 1 },
  { name: gettext("Dark parts: lungs"), black: 0.02, white: 0.6 },
  { name: gettext("Bright parts: behind the heart"), black: 0.4, white: 0.995 },
];

// Named windows, in what the modality LUT gives. film: a Film; padding does not count.
export function presetsOf(film) {
  const { slope, intercept, padded } = film.facts;
  const counts = histogram(film.levels.at(-1).values, film.table.length, padded);
  return PRESETS.map(({ name, black, white }) => {
    const [low, high] = [quantile(counts, black), quantile(counts, white)].map((sample) => slope * sample + intercept);
    const [from, to] = [Math.min(low, high), Math.max(low, high)];
    // PS3.3 C.11.2.1.2.1: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2.
    return { name, center: (from + to + 1) / 2, width: to - from + 1 };
  });
}

function histogram(values, length, padded) {
  const counts = new Uint32Array(length);
  for (const value of values) counts[Math.min(value, length - 1)] += 1;
  if (padded) counts[0] = 0;
  return counts;
}

// The least sample that so large a share of the pixels does not exceed.
function quantile(counts, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let sample = 0; sample < counts.length; sample += 1) {
    below += counts[sample];
    if (below > 0 && below >= share * total) return sample;
  }
  return counts.length - 1;
}
