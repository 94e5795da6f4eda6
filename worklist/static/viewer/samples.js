// Films from the server: samples before any window, at several scales.

import { gettext, inLanguage } from "../common/texts.js";
import { isUpright, turnedFacts, turnedValues } from "./orientation.js";

const MAX_TRIES = 5;

// A film at several scales. Each level has means of 2 x 2 samples of the one before it, so that a
// film that is shown small is sampled from a small one, and neither flickers nor takes long.
export class Film {
  constructor(facts, table, values) {
    this.facts = facts;
    this.table = table;
    this.levels = levelsOf(values, facts.sample_rows, facts.sample_columns, facts.scale);
    this.isWhole = facts.scale === 1;
  }

  // The film turned or mirrored; itself if it is upright.
  turned(orientation) {
    if (isUpright(orientation)) return this;
    const { sample_rows: rows, sample_columns: columns } = this.facts;
    const values = turnedValues(this.levels[0].values, rows, columns, orientation);
    return new Film(turnedFacts(this.facts, orientation), this.table, values);
  }

  // Pixels that are not square are shown as high as the header says (1 if within a hundredth).
  get pixelHeight() {
    const height = this.facts.pixel_height;
    const ratio = Math.max(height, 1 / height);
    return ratio > 1.01 && ratio <= 4 ? height : 1;
  }

  // The output of the modality LUT for a sample; null outside the film. column, row: of the film.
  valueAt(column, row) {
    const { facts, levels } = this;
    if (column < 0 || row < 0 || column >= facts.columns || row >= facts.rows) return null;
    const index = Math.floor(row / facts.scale) * facts.sample_columns + Math.floor(column / facts.scale);
    return facts.slope * levels[0].values[index] + facts.intercept;
  }
}

// Fetches a film. longest: maximum of samples along the longer side, or null for every pixel. Throws
// an Error with a sentence for the reader.
export async function fetchFilm(sha256, longest, signal) {
  const url = `/api/v1/images/${sha256}/pixels${longest ? `?longest=${longest}` : ""}`;
  const response = await withRetries(() => fetch(url, inLanguage({ signal })));
  if (!response.ok) throw new Error(await errorOf(response));
  const facts = JSON.parse(response.headers.get("ReadFirst-Film"));
  return filmFrom(facts, await response.arrayBuffer());
}

// Tries again while the server is overloaded.
async function withRetries(request) {
  for (let tries = 0; ; tries += 1) {
    const response = await request();
    const pause = Number(response.headers.get("Retry-After"));
    if (response.status !== 503 || !pause || tries === MAX_TRIES) return response;
    await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
  }
}

export function filmFrom(facts, body) {
  const table = new Uint8Array(body, 0, facts.table_length);
  const samples = body.slice(facts.table_length);
  return new Film(facts, table, facts.bits === 16 ? new Uint16Array(samples) : new Uint8Array(samples));
}

// The server's error, as a sentence for the reader.
export async function errorOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? gettext("The server does not give it ({status}).", { status: response.status });
}

// side: of one sample of the level, in pixels of the film.
function levelsOf(values, rows, columns, side) {
  const levels = [{ values, rows, columns, side }];
  while (Math.max(rows, columns) > 128) {
    values = halved(values, rows, columns);
    [rows, columns, side] = [Math.ceil(rows / 2), Math.ceil(columns / 2), side * 2];
    levels.push({ values, rows, columns, side });
  }
  return levels;
}

// Means of 2 x 2 samples; the last row and column stand for those that an odd side lacks.
function halved(values, rows, columns) {
  const [fewerRows, fewerColumns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
  const means = new values.constructor(fewerRows * fewerColumns);
  const whole = columns >> 1;
  for (let row = 0; row < fewerRows; row += 1) {
    const upper = 2 * row * columns;
    const lower = Math.min(2 * row + 1, rows - 1) * columns;
    const out = row * fewerColumns;
    for (let column = 0; column < whole; column += 1) {
      const at = 2 * column;
      means[out + column] =
        (values[upper + at] + values[upper + at + 1] + values[lower + at] + values[lower + at + 1] + 2) >> 2;
    }
    if (whole < fewerColumns) {
      means[out + whole] = (values[upper + columns - 1] + values[lower + columns - 1] + 1) >> 1;
    }
  }
  return means;
}
