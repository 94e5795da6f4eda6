// From samples to the pixels of a canvas: pure but for the array that it writes into.

const BLACK = 0xff000000;

// Paints a film. out: Uint32Array of the canvas, row by row. colours: for each sample. Between
// samples, values are interpolated before the window, as a film scanned finer would have them.
export function paint(out, size, film, view, colours) {
  const level = levelFor(film.levels, view.scale);
  const across = steps(size.width, view.x, view.scale, level, film.facts.columns, level.columns);
  const stepDown = view.scale * film.pixelHeight;
  const down = steps(size.height, view.y, stepDown, level, film.facts.rows, level.rows);
  out.fill(BLACK, 0, down.from * size.width);
  out.fill(BLACK, down.to * size.width);
  if (across.from >= across.to || down.from >= down.to) return out.fill(BLACK);
  const row = new Int32Array(level.columns + 1);
  for (let y = down.from; y < down.to; y += 1) {
    mixRows(row, level, across, down.place[y], down.share[y]);
    paintRow(out, y * size.width, size.width, row, across, colours);
  }
  return out;
}

// The coarsest level of which a sample is no wider than a pixel of the canvas.
function levelFor(levels, scale) {
  let found = levels[0];
  for (const level of levels) if (level.side * scale <= 1) found = level;
  return found;
}

// For each pixel along a side of the canvas, the sample before it and, in 256ths, how far it is on
// its way to the next one. from, to: which pixels show the film.
function steps(pixels, start, scale, level, filmSide, samples) {
  const place = new Int32Array(pixels);
  const share = new Int32Array(pixels);
  const from = Math.min(pixels, Math.max(0, Math.ceil(-start * scale - 0.5)));
  const to = Math.max(from, Math.min(pixels, Math.ceil((filmSide - start) * scale - 0.5)));
  for (let pixel = from; pixel < to; pixel += 1) {
    const at = ((pixel + 0.5) / scale + start) / level.side - 0.5;
    const inside = Math.min(Math.max(at, 0), samples - 1);
    place[pixel] = Math.floor(inside);
    share[pixel] = Math.round((inside - place[pixel]) * 256);
  }
  return { place, share, from, to };
}

// A row between two rows of samples, as far as it is needed.
function mixRows(row, level, across, upper, share) {
  const { values, columns, rows } = level;
  const first = across.place[across.from];
  const last = Math.min(across.place[across.to - 1] + 1, columns - 1);
  const above = upper * columns;
  const below = Math.min(upper + 1, rows - 1) * columns;
  for (let column = first; column <= last; column += 1) {
    row[column] = (values[above + column] * (256 - share) + values[below + column] * share) >> 8;
  }
  // What stands behind the last column counts for nothing.
  row[last + 1] = row[last];
}

function paintRow(out, start, width, row, across, colours) {
  const { place, share, from, to } = across;
  out.fill(BLACK, start, start + from);
  for (let pixel = from; pixel < to; pixel += 1) {
    const at = place[pixel];
    const right = share[pixel];
    out[start + pixel] = colours[(row[at] * (256 - right) + row[at + 1] * right) >> 8];
  }
  out.fill(BLACK, start + to, start + width);
}
