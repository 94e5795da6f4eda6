// Where a film lies on the canvas: pure functions.
//
// A view is { scale, x, y }: pixels of the canvas for each of the film's columns, and the place of the
// film (in its columns and rows) at the upper left corner. A size is { width, height } of the canvas,
// in its own pixels; a frame is { columns, rows, pixelHeight } of the film.

const MOST_SCALE = 32;
// Of the scale at which all of the film is seen.
const LEAST_OF_FIT = 0.25;

// All of the film, in the middle.
export function fitted(size, frame) {
  return centred(fitScale(size, frame), frame.columns / 2, frame.rows / 2, size, frame);
}

// One pixel of the film for one of the canvas, about what is in the middle now.
export function actual(view, size, frame) {
  const middle = placeAt(view, { x: size.width / 2, y: size.height / 2 }, frame);
  return kept(centred(1, middle.x, middle.y, size, frame), size, frame);
}

// The view after zooming by a factor; the place under the point stays under it.
export function zoomed(view, factor, point, size, frame) {
  const fit = fitScale(size, frame);
  const least = Math.min(1, fit * LEAST_OF_FIT);
  const scale = Math.min(Math.max(view.scale * factor, least), Math.max(MOST_SCALE, fit));
  const place = placeAt(view, point, frame);
  const x = place.x - point.x / scale;
  const y = place.y - point.y / (scale * frame.pixelHeight);
  return kept({ scale, x, y }, size, frame);
}

// The view after moving the film by pixels of the canvas.
export function moved(view, across, down, size, frame) {
  const x = view.x - across / view.scale;
  const y = view.y - down / (view.scale * frame.pixelHeight);
  return kept({ scale: view.scale, x, y }, size, frame);
}

// The place of the film under a point of the canvas.
export function placeAt(view, point, frame) {
  return {
    x: view.x + point.x / view.scale,
    y: view.y + point.y / (view.scale * frame.pixelHeight),
  };
}

// A length that a ruler can show: a round number of mm, as long as fits. spacing: mm for a column.
export function rulerOf(view, size, spacing) {
  const most = ((size.width / 4) * spacing) / view.scale;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((each) => each * power).find((each) => each <= most) ?? power;
  return { mm: length, pixels: (length * view.scale) / spacing };
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
function kept(view, size, frame) {
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
