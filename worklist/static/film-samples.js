// Films as the server gives them: samples before any window, and how to read them.

const MOST_TRIES = 5;

// A film at several scales. Each level has means of 2 x 2 samples of the one before it, so that a
// film that is shown small is sampled from a small one, and neither flickers nor takes long.
export class Film {
  constructor(facts, table, values) {
    this.facts = facts;
    this.table = table;
    this.levels = levelsOf(values, facts.sample_rows, facts.sample_columns, facts.scale);
    this.isWhole = facts.scale === 1;
  }

  // Pixels that are not square are shown as high as the header says (1 if within a hundredth).
  get pixelHeight() {
    const height = this.facts.pixel_height;
    const most = Math.max(height, 1 / height);
    return most > 1.01 && most <= 4 ? height : 1;
  }

  // What the modality LUT gave for a sample; null outside the film. column, row: of the film.
  valueAt(column, row) {
    const { facts, levels } = this;
    if (column < 0 || row < 0 || column >= facts.columns || row >= facts.rows) return null;
    const place = Math.floor(row / facts.scale) * facts.sample_columns + Math.floor(column / facts.scale);
    return facts.slope * levels[0].values[place] + facts.intercept;
  }
}

// Asks for a film. longest: most samples of the longer side, or null for every pixel. Throws an
// Error with a sentence for a person.
export async function fetchFilm(sha256, longest, signal) {
  const address = `/api/v1/images/${sha256}/pixels${longest ? `?longest=${longest}` : ""}`;
  const answer = await patiently(() => fetch(address, { signal }));
  if (!answer.ok) throw new Error(await refusalOf(answer));
  const facts = JSON.parse(answer.headers.get("ReadFirst-Film"));
  return filmFrom(facts, await answer.arrayBuffer());
}

// Asks again while the server has too much to do, as often as makes sense.
async function patiently(ask) {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    const pause = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !pause || tries === MOST_TRIES) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
  }
}

export function filmFrom(facts, body) {
  const table = new Uint8Array(body, 0, facts.table_length);
  const samples = body.slice(facts.table_length);
  return new Film(facts, table, facts.bits === 16 ? new Uint16Array(samples) : new Uint8Array(samples));
}

// Why the server does not give something, as a sentence.
export async function refusalOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? `The server does not give it (${answer.status}).`;
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
