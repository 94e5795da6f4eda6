// Renders samples into the pixels of a canvas: pure but for the array that it writes into.

const BLACK = 0xff000000;

// Renders a film. out: Uint32Array of the canvas, row by row. colours: for each sample. Between
// samples, values are interpolated before the window, as if the film were scanned finer.
export function render(out, size, film, view, colours) {
  const level = levelFor(film.levels, view.scale);
  const across = interpolation(size.width, view.x, view.scale, level, film.facts.columns, level.columns);
  const rowScale = view.scale * film.pixelHeight;
  const down = interpolation(size.height, view.y, rowScale, level, film.facts.rows, level.rows);
  out.fill(BLACK, 0, down.from * size.width);
  out.fill(BLACK, down.to * size.width);
  if (across.from >= across.to || down.from >= down.to) return out.fill(BLACK);
  const row = new Int32Array(level.columns + 1);
  for (let y = down.from; y < down.to; y += 1) {
    mixRows(row, level, across, down.sample[y], down.share[y]);
    renderRow(out, y * size.width, size.width, row, across, colours);
  }
  return out;
}

// The coarsest level of which a sample is no wider than a pixel of the canvas.
function levelFor(levels, scale) {
  let coarsest = levels[0];
  for (const level of levels) if (level.side * scale <= 1) coarsest = level;
  return coarsest;
}

// For each pixel along a side of the canvas, the sample before it and, in 256ths, how far it is on
// its way to the next one. from, to: the range of pixels that show the film.
function interpolation(pixels, start, scale, level, filmSide, samples) {
  const sample = new Int32Array(pixels);
  const share = new Int32Array(pixels);
  const from = Math.min(pixels, Math.max(0, Math.ceil(-start * scale - 0.5)));
  const to = Math.max(from, Math.min(pixels, Math.ceil((filmSide - start) * scale - 0.5)));
  for (let pixel = from; pixel < to; pixel += 1) {
    const position = ((pixel + 0.5) / scale + start) / level.side - 0.5;
    const inside = Math.min(Math.max(position, 0), samples - 1);
    sample[pixel] = Math.floor(inside);
    share[pixel] = Math.round((inside - sample[pixel]) * 256);
  }
  return { sample, share, from, to };
}

// A row between two rows of samples, as far as it is needed.
function mixRows(row, level, across, upper, share) {
  const { values, columns, rows } = level;
  const first = across.sample[across.from];
  const last = Math.min(across.sample[across.to - 1] + 1, columns - 1);
  const above = upper * columns;
  const below = Math.min(upper + 1, rows - 1) * columns;
  for (let column = first; column <= last; column += 1) {
    row[column] = (values[above + column] * (256 - share) + values[below + column] * share) >> 8;
  }
  // The value after the last column has no weight.
  row[last + 1] = row[last];
}

function renderRow(out, start, width, row, across, colours) {
  const { sample, share, from, to } = across;
  out.fill(BLACK, start, start + from);
  for (let pixel = from; pixel < to; pixel += 1) {
    const left = sample[pixel];
    const right = share[pixel];
    out[start + pixel] = colours[(row[left] * (256 - right) + row[left + 1] * right) >> 8];
  }
  out.fill(BLACK, start + to, start + width);
}
