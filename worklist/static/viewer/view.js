// Where a film lies on the canvas: pure functions.
//
// A view is { scale, x, y }: pixels of the canvas for each of the film's columns, and the position
// in the film (in its columns and rows) at the upper left corner. A size is { width, height } of the canvas,
// in its own pixels; a frame is { columns, rows, pixelHeight } of the film.

const MAX_SCALE = 32;
// As a share of the scale at which all of the film is seen.
const MIN_SHARE_OF_FIT = 0.25;

// All of the film, in the middle.
export function fitted(size, frame) {
  return centred(fitScale(size, frame), frame.columns / 2, frame.rows / 2, size, frame);
}

// One pixel of the film for one of the canvas, around the current middle.
export function actual(view, size, frame) {
  const middle = positionAt(view, { x: size.width / 2, y: size.height / 2 }, frame);
  return limited(centred(1, middle.x, middle.y, size, frame), size, frame);
}

// The view after zooming by a factor; the position under the point stays under it.
export function zoomed(view, factor, point, size, frame) {
  const fit = fitScale(size, frame);
  const minimum = Math.min(1, fit * MIN_SHARE_OF_FIT);
  const scale = Math.min(Math.max(view.scale * factor, minimum), Math.max(MAX_SCALE, fit));
  const position = positionAt(view, point, frame);
  const x = position.x - point.x / scale;
  const y = position.y - point.y / (scale * frame.pixelHeight);
  return limited({ scale, x, y }, size, frame);
}

// The view after moving the film by pixels of the canvas.
export function moved(view, across, down, size, frame) {
  const x = view.x - across / view.scale;
  const y = view.y - down / (view.scale * frame.pixelHeight);
  return limited({ scale: view.scale, x, y }, size, frame);
}

// The position in the film under a point of the canvas.
export function positionAt(view, point, frame) {
  return {
    x: view.x + point.x / view.scale,
    y: view.y + point.y / (view.scale * frame.pixelHeight),
  };
}

// The point of the canvas at which a position in the film lies.
export function pointAt(view, position, frame) {
  return {
    x: (position.x - view.x) * view.scale,
    y: (position.y - view.y) * view.scale * frame.pixelHeight,
  };
}

// A length that a ruler can show: a round number of mm, as long as fits. spacing: mm for a column.
export function rulerOf(view, size, spacing) {
  const longest = ((size.width / 4) * spacing) / view.scale;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = [5, 2, 1].map((factor) => factor * power).find((mm) => mm <= longest) ?? power;
  return { mm: length, pixels: (length * view.scale) / spacing };
}

// A view in terms of any film: how much larger than all of it, and the middle in shares of its sides.
export function relativeOf(view, size, frame) {
  const middle = positionAt(view, { x: size.width / 2, y: size.height / 2 }, frame);
  return { zoom: view.scale / fitScale(size, frame), across: middle.x / frame.columns, down: middle.y / frame.rows };
}

// The view of a film that another film's relative view asks for.
export function viewFrom({ zoom, across, down }, size, frame) {
  const scale = zoom * fitScale(size, frame);
  return limited(centred(scale, across * frame.columns, down * frame.rows, size, frame), size, frame);
}

function fitScale(size, frame) {
  return Math.min(size.width / frame.columns, size.height / (frame.rows * frame.pixelHeight));
}

function centred(scale, x, y, size, frame) {
  return {
    scale,
    x: x - size.width / (2 * scale),
    y: y - size.height / (2 * scale * frame.pixelHeight),
  };
}

// The film never leaves the middle of the canvas.
function limited(view, size, frame) {
  const halfAcross = size.width / (2 * view.scale);
  const halfDown = size.height / (2 * view.scale * frame.pixelHeight);
  return onPixels({
    scale: view.scale,
    x: Math.min(Math.max(view.x, -halfAcross), frame.columns - halfAcross),
    y: Math.min(Math.max(view.y, -halfDown), frame.rows - halfDown),
  });
}

// At one to one, pixels of the film lie on those of the canvas, so that each is shown as it is.
function onPixels(view) {
  return view.scale === 1 ? { scale: 1, x: Math.round(view.x), y: Math.round(view.y) } : view;
}
