// Lengths, angles and the cardiothoracic ratio on a film: pure functions. Points are positions in the
// film, { x, y } in its columns and rows. Facts are those of the film, as the server sends them.

import { gettext, numberText } from "../common/texts.js";

const PLACES = {
  detector: gettext(" at the detector"),
  film: gettext(" on the film"),
  patient: "",
  unknown: gettext(" by the header"),
};

// Where the size of a pixel was measured (PS3.3 10.7), as words behind a length.
export const placeOf = (facts) => PLACES[facts.spacing_at] ?? "";

// The width and height of a pixel: in mm if the film states them, else in widths of a pixel.
function pixelOf({ spacing, pixel_height: height }) {
  return spacing ? { width: spacing[1], height: spacing[0] } : { width: 1, height: height ?? 1 };
}

// In mm where the film states the size of its pixels, else in widths of a pixel.
export function distance(from, to, facts) {
  const pixel = pixelOf(facts);
  return Math.hypot((to.x - from.x) * pixel.width, (to.y - from.y) * pixel.height);
}

// The angle at a vertex between two points, 0 to 180 degrees; null where a side has no length.
export function angle(from, vertex, to, facts) {
  const pixel = pixelOf(facts);
  const side = (point) => [(point.x - vertex.x) * pixel.width, (point.y - vertex.y) * pixel.height];
  const [[ax, ay], [bx, by]] = [side(from), side(to)];
  if (!Math.hypot(ax, ay) || !Math.hypot(bx, by)) return null;
  return (Math.abs(Math.atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180) / Math.PI;
}

// The widest heart over the widest chest; null where the chest has no width. It needs no size of a pixel.
export function cardiothoracicRatio([heartFrom, heartTo, chestFrom, chestTo], facts) {
  const chest = distance(chestFrom, chestTo, facts);
  return chest ? distance(heartFrom, heartTo, facts) / chest : null;
}

// A length in words. Without the size of a pixel there is none: what is not known is not guessed.
export function lengthText(from, to, facts) {
  if (!facts.spacing) return gettext("no length: the film states no size of its pixels");
  return `${millimetres(distance(from, to, facts))}${placeOf(facts)}`;
}

export function angleText(points, facts) {
  const degrees = angle(points[0], points[1], points[2], facts);
  return degrees === null ? gettext("no angle: two points are one") : `${numberText(degrees, 1)}°`;
}

// view: the view position that the film states; the heart looks larger from the back to the front.
export function ratioText(points, facts, view) {
  const ratio = cardiothoracicRatio(points, facts);
  if (ratio === null) return gettext("no ratio: the chest has no width");
  const widths = facts.spacing
    ? gettext(" (heart {heart}, chest {chest}{place})", {
      heart: millimetres(distance(points[0], points[1], facts)),
      chest: millimetres(distance(points[2], points[3], facts)),
      place: placeOf(facts),
    })
    : "";
  const caution = /\bAP\b/.test(view ?? "") ? ` ${gettext("AP view: the heart looks larger than it is.")}` : "";
  return `${gettext("cardiothoracic ratio {ratio}", { ratio: numberText(ratio, 2) })}${widths}.${caution}`;
}

// A number with as many digits as matter.
export const rounded = (value) => Number(value.toFixed(Math.abs(value) < 10 ? 2 : 0)).toString();

const millimetres = (mm) => `${numberText(mm, mm < 10 ? 1 : 0)} mm`;
