// The film viewer's geometry, windows, painting and colours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyColours, colourOf } from "#static/viewer/colours.js";
import { render } from "#static/viewer/renderer.js";
import { filmFrom } from "#static/viewer/samples.js";
import { actual, fitted, moved, positionAt, rulerOf, zoomed } from "#static/viewer/view.js";
import { coloursOf, dragged, greysThrough, ownWindow } from "#static/viewer/window.js";

const SIZE = { width: 400, height: 300 };
const FRAME = { columns: 2000, rows: 3000, pixelHeight: 1 };

test("a film that fits is seen whole, in the middle", () => {
  const view = fitted(SIZE, FRAME);
  assert.equal(view.scale, 0.1);
  assert.deepEqual(positionAt(view, { x: 200, y: 150 }, FRAME), { x: 1000, y: 1500 });
});

test("pixels that are high make the film fit by its height on the screen", () => {
  assert.equal(fitted(SIZE, { ...FRAME, pixelHeight: 2 }).scale, 0.05);
});

test("the place under the pointer stays there while zooming", () => {
  const point = { x: 250, y: 100 };
  let view = fitted(SIZE, FRAME);
  const before = positionAt(view, point, FRAME);
  for (const factor of [2, 1.5, 3]) view = zoomed(view, factor, point, SIZE, FRAME);
  const after = positionAt(view, point, FRAME);
  assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-9);
});

test("zooming has two ends", () => {
  const middle = { x: 200, y: 150 };
  const view = fitted(SIZE, FRAME);
  assert.equal(zoomed(view, 1e9, middle, SIZE, FRAME).scale, 32);
  assert.equal(zoomed(view, 1e-9, middle, SIZE, FRAME).scale, 0.025);
});

test("however far it is moved, some of the film stays in the middle", () => {
  for (const way of [-1e6, 1e6]) {
    const view = moved(fitted(SIZE, FRAME), way, way, SIZE, FRAME);
    const { x, y } = positionAt(view, { x: 200, y: 150 }, FRAME);
    assert.ok(x >= 0 && x <= FRAME.columns && y >= 0 && y <= FRAME.rows);
  }
});

test("at one to one, pixels lie on pixels", () => {
  const view = actual({ scale: 0.1, x: -1000.3, y: 0.7 }, SIZE, FRAME);
  assert.equal(view.scale, 1);
  assert.ok(Number.isInteger(view.x) && Number.isInteger(view.y));
});

test("a ruler is a round length of no more than a quarter of the canvas", () => {
  for (const scale of [0.013, 0.1, 0.77, 5]) {
    const { mm, pixels } = rulerOf({ scale, x: 0, y: 0 }, SIZE, 0.15);
    assert.match(String(Number(mm.toPrecision(6))), /^(0\.0*)?[125]0*$/);
    assert.ok(pixels <= 100.0001 && pixels >= 25);
    assert.ok(Math.abs((pixels / scale) * 0.15 - mm) < 1e-9);
  }
});

function film(rows, columns, value, facts = {}) {
  const all = {
    rows, columns, sample_rows: rows, sample_columns: columns, scale: 1, bits: 8, table_length: 256,
    pixel_height: 1, slope: 1, intercept: 0, center: 128, width: 256, padded: false, ...facts,
  };
  const body = new Uint8Array(256 + rows * columns);
  for (let grey = 0; grey < 256; grey += 1) body[grey] = grey;
  for (let at = 0; at < rows * columns; at += 1) body[256 + at] = value(Math.floor(at / columns), at % columns);
  return filmFrom(all, body.buffer);
}

test("a linear window is the one of the standard", () => {
  // PS3.3 C.11.2.1.2.1, of center 50 and width 101: black to 0, white from 100.
  const greys = greysThrough(film(1, 1, () => 0), { center: 50.5, width: 101, isOwn: false });
  assert.deepEqual([0, 25, 50, 75, 100, 200].map((sample) => greys[sample]), [0, 64, 128, 191, 255, 255]);
});

test("a negative slope shows low values white, and padding stays black", () => {
  const facts = { slope: -1, intercept: 255, padded: true };
  const greys = greysThrough(film(1, 1, () => 0, facts), { center: 128, width: 256, isOwn: false });
  assert.equal(greys[0], 0);
  assert.ok(greys[1] < greys[254]);
});

test("a sigmoid rises and is half way at its center", () => {
  const greys = greysThrough(film(1, 1, () => 0), { center: 100, width: 50, function: "SIGMOID" });
  assert.equal(greys[100], 128);
  assert.ok([...greys].every((grey, at) => at === 0 || grey >= greys[at - 1]));
});

test("the own window is the table as it was sent", () => {
  const image = film(1, 1, () => 0);
  assert.equal(greysThrough(image, ownWindow(image.facts)), image.table);
});

test("inverted is the other way round, but for padding", () => {
  const colours = coloursOf(Uint8Array.of(9, 0, 255), { inverted: true, padded: true });
  assert.deepEqual([...colours], [0xff000000, 0xffffffff, 0xff000000]);
});

test("a drag to the right widens, a drag down darkens", () => {
  const window = { center: 100, width: 50 };
  assert.ok(dragged(window, 30, 0, { slope: 1 }).width > 50);
  assert.ok(dragged(window, 0, 30, { slope: 1 }).center > 100);
  assert.ok(dragged(window, 0, 30, { slope: -1 }).center < 100);
  assert.equal(dragged(window, -1e6, 0, { slope: 1 }).width, 1);
});

const GREYS = coloursOf(Uint8Array.from({ length: 256 }, (_, grey) => grey), { inverted: false, padded: false });

function painted(image, size, view) {
  const out = new Uint32Array(size.width * size.height).fill(1);
  return render(out, size, image, view, GREYS);
}

test("at one to one each sample is shown as it is, and nothing beside the film", () => {
  const image = film(2, 3, (row, column) => 100 * row + 10 * column + 1);
  const out = painted(image, { width: 5, height: 4 }, { scale: 1, x: -1, y: -1 });
  const shades = [...out].map((colour) => colour & 255);
  assert.deepEqual(shades, [0, 0, 0, 0, 0, 0, 1, 11, 21, 0, 0, 101, 111, 121, 0, 0, 0, 0, 0, 0]);
  assert.ok(out.every((colour) => colour >>> 24 === 255));
});

test("an even film is even at any scale", () => {
  const image = film(300, 500, () => 77);
  for (const scale of [0.07, 0.3, 1.7, 9]) {
    const out = painted(image, { width: 20, height: 20 }, { scale, x: 5, y: 5 });
    assert.ok(out.every((colour) => (colour & 255) === 77), `scale ${scale}`);
  }
});

test("a small film is painted from means, so that fine stripes become grey", () => {
  const image = film(512, 512, (_, column) => (column % 2 ? 200 : 100));
  const out = painted(image, { width: 64, height: 64 }, { scale: 0.125, x: 0, y: 0 });
  assert.ok(out.every((colour) => (colour & 255) === 150));
});

test("a value is read only inside the film", () => {
  const image = film(2, 2, (row, column) => 10 * row + column, { slope: 2, intercept: -5 });
  assert.equal(image.valueAt(1.5, 1.2), 2 * 11 - 5);
  for (const [column, row] of [[-0.1, 0], [2, 0], [0, 2]]) assert.equal(image.valueAt(column, row), null);
});

test("heat is the more opaque the hotter, and LIME has two colours", () => {
  const opacities = [0, 60, 128, 255].map((grey) => colourOf("grad_cam", grey)[3]);
  assert.deepEqual(opacities, [0, 14, 64, 255]);
  assert.deepEqual(colourOf("lime", 128)[3], 0);
  assert.notDeepEqual(colourOf("lime", 255).slice(0, 3), colourOf("lime", 0).slice(0, 3));
  const pixels = Uint8ClampedArray.of(255, 255, 255, 255);
  applyColours(pixels, "grad_cam");
  assert.deepEqual([...pixels], [240, 249, 33, 255]);
});
