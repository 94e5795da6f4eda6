// Windows: from the values of a film to grey. Pure.

// CSS pixels of a drag across that make a window e times as wide.
const SLOWNESS = 300;
const NARROWEST = 1;

// The window by which a film itself asks to be shown; its table says how, to the last grey.
export function ownWindow(facts) {
  return { center: facts.center, width: facts.width, isOwn: true, name: "" };
}

// The grey of each sample through a window (PS3.3 C.11.2.1.2).
export function greysThrough(film, shown) {
  const { facts, table } = film;
  if (shown.isOwn) return table;
  const grey = greyBy(shown.function ?? "LINEAR", shown.center, shown.width);
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
export function dragged(shown, across, down, facts) {
  const width = Math.max(NARROWEST, shown.width * Math.exp(across / SLOWNESS));
  const darker = facts.slope < 0 ? -1 : 1;
  const center = shown.center + (darker * down * shown.width) / SLOWNESS;
  return { center, width, isOwn: false, name: "" };
}

function greyBy(name, center, width) {
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
