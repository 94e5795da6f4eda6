// Colours of heat maps: pure. Their lightness only rises, so that the colour-blind can read them.

// Nine colours of "plasma" (Smith and van der Walt 2015, CC0), heat 0 to 1 in even steps.
const PLASMA = [
  [13, 8, 135], [76, 2, 161], [126, 3, 168], [170, 35, 149], [204, 71, 120],
  [230, 108, 92], [248, 149, 64], [253, 197, 39], [240, 249, 33],
];
// For and against pneumonia (Okabe and Ito 2008).
const FOR = [230, 159, 0];
const AGAINST = [0, 114, 178];
const NEUTRAL = 128;
// The least strength of a map, at which it can still be seen.
const FAINT = 0.2;

// The colour of a grey of a map, as [red, green, blue, opacity], 0 to 255. The opacity is the heat's
// square, so that the film shows through where there is little heat.
export function colourOf(method, grey) {
  if (method === "lime") {
    const weight = (grey - NEUTRAL) / 127;
    return [...(weight > 0 ? FOR : AGAINST), Math.round(255 * Math.min(1, Math.abs(weight)))];
  }
  const position = (grey / 255) * (PLASMA.length - 1);
  const below = Math.min(Math.floor(position), PLASMA.length - 2);
  const share = position - below;
  const mixed = PLASMA[below].map((from, band) => Math.round(from + share * (PLASMA[below + 1][band] - from)));
  return [...mixed, Math.round((grey * grey) / 255)];
}

// How strongly the map of an image is drawn, from faint to 1, where its score reaches the threshold:
// a map is as bright as its brightest place, so that of an unlikely film must not glow. score:
// { probability, threshold }; without one the map is drawn whole.
export function strengthOf(score) {
  if (!score) return 1;
  return Math.min(1, Math.max(FAINT, score.probability / score.threshold));
}

// Replaces the greys of a map by its colours. pixels: RGBA, as ImageData has them. strength: 0 to 1,
// times which the opacity is.
export function applyColours(pixels, method, strength = 1) {
  const colours = Array.from({ length: 256 }, (_, grey) => {
    const [red, green, blue, opacity] = colourOf(method, grey);
    return [red, green, blue, Math.round(opacity * strength)];
  });
  for (let at = 0; at < pixels.length; at += 4) pixels.set(colours[pixels[at]], at);
}
