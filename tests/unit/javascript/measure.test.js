// Lengths, angles and ratios on a film, turned films, presets, and the strength of heat maps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { strengthOf } from "#static/viewer/colours.js";
import { angle, angleText, cardiothoracicRatio, distance, lengthText, ratioText } from "#static/viewer/measure.js";
import { isUpright, mirrored, orientationText, turned, turnedBack, turnedFacts, turnedRight, turnedValues, UPRIGHT } from "#static/viewer/orientation.js";
import { filmFrom } from "#static/viewer/samples.js";
import { pointAt, positionAt } from "#static/viewer/view.js";
import { presetsOf } from "#static/viewer/window.js";

const at = (x, y) => ({ x, y });
// Rows are twice as far apart as columns.
const HIGH = { spacing: [0.4, 0.2], spacing_at: "detector", pixel_height: 2 };
const UNKNOWN = { spacing: null, pixel_height: 1 };

test("a length goes by the distance of rows and of columns", () => {
  assert.ok(Math.abs(distance(at(0, 0), at(300, 0), HIGH) - 60) < 1e-9);
  assert.ok(Math.abs(distance(at(0, 0), at(0, 300), HIGH) - 120) < 1e-9);
  assert.ok(Math.abs(distance(at(10, 10), at(310, 210), HIGH) - 100) < 1e-9);
});

test("a length says where it holds", () => {
  const texts = { detector: "60 mm at the detector", film: "60 mm on the film", patient: "60 mm", unknown: "60 mm by the header" };
  for (const [spacingAt, text] of Object.entries(texts)) {
    assert.equal(lengthText(at(0, 0), at(300, 0), { ...HIGH, spacing_at: spacingAt }), text);
  }
  assert.equal(lengthText(at(0, 0), at(31, 0), HIGH), "6.2 mm at the detector");
});

test("without the size of a pixel there is no length, in no unit", () => {
  assert.match(lengthText(at(0, 0), at(300, 0), UNKNOWN), /^no length: the film states no size of its pixels$/);
});

test("an angle goes by the shape of the pixels, not by their size", () => {
  assert.ok(Math.abs(angle(at(10, 0), at(0, 0), at(0, 10), UNKNOWN) - 90) < 1e-9);
  assert.ok(Math.abs(angle(at(20, 0), at(0, 0), at(20, 10), HIGH) - 45) < 1e-9);
  assert.ok(Math.abs(angle(at(20, 0), at(0, 0), at(20, 10), { spacing: null, pixel_height: 2 }) - 45) < 1e-9);
  assert.ok(Math.abs(angle(at(-5, 0), at(0, 0), at(5, 0), UNKNOWN) - 180) < 1e-9);
  assert.equal(angle(at(0, 0), at(0, 0), at(5, 0), UNKNOWN), null);
  assert.equal(angleText([at(10, 0), at(0, 0), at(0, -10)], UNKNOWN), "90.0°");
});

const CHEST = [at(100, 50), at(250, 50), at(0, 80), at(300, 80)];

test("the cardiothoracic ratio needs no size of a pixel", () => {
  assert.equal(cardiothoracicRatio(CHEST, UNKNOWN), 0.5);
  assert.equal(cardiothoracicRatio(CHEST, HIGH), 0.5);
  assert.equal(cardiothoracicRatio([at(0, 0), at(1, 0), at(5, 5), at(5, 5)], UNKNOWN), null);
  assert.equal(ratioText(CHEST, UNKNOWN, "PA"), "cardiothoracic ratio 0.50.");
  assert.equal(ratioText(CHEST, HIGH, "PA"), "cardiothoracic ratio 0.50 (heart 30 mm, chest 60 mm at the detector).");
  assert.match(ratioText(CHEST, UNKNOWN, "AP"), /AP view: the heart looks larger than it is\.$/);
});

const EVERY = [0, 1, 2, 3].flatMap((quarters) => [false, true].map((isMirrored) => ({ quarters, mirrored: isMirrored })));
const FRAME = { columns: 3, rows: 2 };

test("a position is found again after every turn", () => {
  for (const orientation of EVERY) {
    for (const position of [at(0, 0), at(2.25, 0.5), at(3, 2)]) {
      assert.deepEqual(turnedBack(turned(position, FRAME, orientation), FRAME, orientation), position);
    }
  }
});

test("samples go where their positions go", () => {
  const values = Uint16Array.of(1, 2, 3, 4, 5, 6);
  assert.deepEqual([...turnedValues(values, 2, 3, { quarters: 1, mirrored: false })], [4, 1, 5, 2, 6, 3]);
  assert.deepEqual([...turnedValues(values, 2, 3, { quarters: 2, mirrored: false })], [6, 5, 4, 3, 2, 1]);
  assert.deepEqual([...turnedValues(values, 2, 3, { quarters: 0, mirrored: true })], [3, 2, 1, 6, 5, 4]);
  for (const orientation of EVERY) {
    const result = turnedValues(values, 2, 3, orientation);
    const columns = orientation.quarters % 2 ? 2 : 3;
    values.forEach((value, index) => {
      const { x, y } = turned(at((index % 3) + 0.5, Math.floor(index / 3) + 0.5), FRAME, orientation);
      assert.equal(result[Math.floor(y) * columns + Math.floor(x)], value);
    });
  }
});

test("four turns, or two mirrors, are none; a mirror acts on what is seen", () => {
  let orientation = UPRIGHT;
  for (let turn = 0; turn < 4; turn += 1) orientation = turnedRight(orientation);
  assert.ok(isUpright(orientation));
  assert.ok(isUpright(mirrored(mirrored(UPRIGHT))));
  const right = turnedRight(UPRIGHT);
  const seen = turned(at(0, 0), FRAME, right);
  // The film is two columns wide once it is turned.
  assert.deepEqual(turned(at(0, 0), FRAME, mirrored(right)), at(2 - seen.x, seen.y));
});

test("what is not upright says so", () => {
  assert.equal(orientationText(UPRIGHT), "");
  assert.equal(orientationText({ quarters: 1, mirrored: true }), "turned 90°, mirrored");
});

test("the sides of a turned film, and what is measured along them, change places", () => {
  const facts = { rows: 2, columns: 3, sample_rows: 2, sample_columns: 3, pixel_height: 2, spacing: [0.4, 0.2] };
  const result = turnedFacts(facts, { quarters: 3, mirrored: false });
  assert.deepEqual(result, { rows: 3, columns: 2, sample_rows: 3, sample_columns: 2, pixel_height: 0.5, spacing: [0.2, 0.4] });
  assert.equal(turnedFacts(facts, { quarters: 2, mirrored: true }), facts);
});

test("a point of the canvas and a position in the film are two names of one place", () => {
  const view = { scale: 0.7, x: -12.5, y: 30 };
  const frame = { pixelHeight: 1.5 };
  const { x, y } = pointAt(view, positionAt(view, at(41, 87), frame), frame);
  assert.ok(Math.hypot(x - 41, y - 87) < 1e-9);
});

function ramp(facts) {
  const all = { rows: 10, columns: 100, sample_rows: 10, sample_columns: 100, scale: 1, bits: 8, table_length: 256, pixel_height: 1, slope: 1, intercept: 0, padded: false, ...facts };
  const body = new Uint8Array(256 + 1000);
  for (let pixel = 0; pixel < 1000; pixel += 1) body[256 + pixel] = 50 + (pixel % 100);
  return filmFrom(all, body.buffer);
}

test("presets go by the values of the film", () => {
  const [all, dark, bright] = presetsOf(ramp({}));
  assert.equal(all.name, "All values");
  // Black up to 50, white from 149.
  assert.deepEqual([all.center - 0.5 - (all.width - 1) / 2, all.center - 0.5 + (all.width - 1) / 2], [50, 149]);
  assert.ok(dark.center < all.center && all.center < bright.center);
  assert.ok(dark.width < all.width && bright.width < all.width);
});

test("presets of a film that is white where it is low are in its own values", () => {
  const [all, dark] = presetsOf(ramp({ slope: -1, intercept: 255 }));
  assert.deepEqual([all.center - 0.5 - (all.width - 1) / 2, all.center - 0.5 + (all.width - 1) / 2], [106, 205]);
  assert.ok(dark.center > all.center);
});

test("padding is no value", () => {
  const film = ramp({ padded: true });
  film.levels[0].values.fill(0, 0, 500);
  assert.equal(presetsOf(film)[0].width, 100);
});

test("the heat map of an unlikely film is faint, that of a likely one whole", () => {
  assert.equal(strengthOf({ probability: 0.97, threshold: 0.9 }), 1);
  assert.equal(strengthOf({ probability: 0.45, threshold: 0.9 }), 0.5);
  assert.equal(strengthOf({ probability: 0.02, threshold: 0.9 }), 0.2);
  assert.equal(strengthOf(null), 1);
});
