// Colours of heat maps: pure. They tell apart what the colour-blind see, as their lightness only
// rises.

// Nine colours of "plasma" (Smith and van der Walt 2015, CC0), heat 0 to 1 in even steps.
const PLASMA = [
  [13, 8, 135], [76, 2, 161], [126, 3, 168], [170, 35, 149], [204, 71, 120],
  [230, 108, 92], [248, 149, 64], [253, 197, 39], [240, 249, 33],
];
// For and against pneumonia (Okabe and Ito 2008).
const FOR = [230, 159, 0];
const AGAINST = [0, 114, 178];
const NEUTRAL = 128;

// The colour of a grey of a map, as [red, green, blue, opacity], 0 to 255. The opacity is the heat's
// square, so that the film shows through where little was found.
export function colourOf(method, grey) {
  if (method === "lime") {
    const said = (grey - NEUTRAL) / 127;
    return [...(said > 0 ? FOR : AGAINST), Math.round(255 * Math.min(1, Math.abs(said)))];
  }
  const place = (grey / 255) * (PLASMA.length - 1);
  const below = Math.min(Math.floor(place), PLASMA.length - 2);
  const share = place - below;
  const mixed = PLASMA[below].map((from, band) => Math.round(from + share * (PLASMA[below + 1][band] - from)));
  return [...mixed, Math.round((grey * grey) / 255)];
}

// Paints a map over its greys. pixels: RGBA, as ImageData has them.
export function recolour(pixels, method) {
  const colours = Array.from({ length: 256 }, (_, grey) => colourOf(method, grey));
  for (let at = 0; at < pixels.length; at += 4) pixels.set(colours[pixels[at]], at);
}
