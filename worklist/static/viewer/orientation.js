// How a film is turned and mirrored: pure functions. An orientation mirrors the film from left to
// right first, then turns it clockwise by quarters. A frame is { columns, rows } of the film.

import { gettext } from "../common/texts.js";

export const UPRIGHT = Object.freeze({ quarters: 0, mirrored: false });

export const isUpright = ({ quarters, mirrored }) => quarters === 0 && !mirrored;

export const turnedRight = ({ quarters, mirrored }) => ({ quarters: (quarters + 1) % 4, mirrored });

// Mirrors what is seen: a film that is turned is mirrored as it stands.
export const mirrored = (orientation) => ({
  quarters: (4 - orientation.quarters) % 4,
  mirrored: !orientation.mirrored,
});

// In words, for the corner of the film; empty for an upright one.
export function orientationText({ quarters, mirrored: isMirrored }) {
  return [quarters ? gettext("turned {degrees}°", { degrees: quarters * 90 }) : "", isMirrored ? gettext("mirrored") : ""].filter(Boolean).join(", ");
}

// Where a position of the film lies once it is turned.
export function turned({ x, y }, { columns, rows }, orientation) {
  let at = { x: orientation.mirrored ? columns - x : x, y };
  let [width, height] = [columns, rows];
  for (let quarter = 0; quarter < orientation.quarters; quarter += 1) {
    at = { x: height - at.y, y: at.x };
    [width, height] = [height, width];
  }
  return at;
}

// The position of the film that lies there now.
export function turnedBack({ x, y }, { columns, rows }, orientation) {
  const isOdd = orientation.quarters % 2 === 1;
  let at = { x, y };
  let width = isOdd ? rows : columns;
  let height = isOdd ? columns : rows;
  for (let quarter = 0; quarter < orientation.quarters; quarter += 1) {
    at = { x: at.y, y: width - at.x };
    [width, height] = [height, width];
  }
  return orientation.mirrored ? { x: columns - at.x, y: at.y } : at;
}

// The samples of a film in their new order, row by row.
export function turnedValues(values, rows, columns, orientation) {
  const [newRows, newColumns] = orientation.quarters % 2 ? [columns, rows] : [rows, columns];
  // The sample at a row and column of the turned film, by their centres.
  const sourceOf = (row, column) => {
    const { x, y } = turnedBack({ x: column + 0.5, y: row + 0.5 }, { columns, rows }, orientation);
    return (y - 0.5) * columns + (x - 0.5);
  };
  const first = sourceOf(0, 0);
  const across = sourceOf(0, 1) - first;
  const down = sourceOf(1, 0) - first;
  const result = new values.constructor(values.length);
  let out = 0;
  for (let row = 0; row < newRows; row += 1) {
    let source = first + row * down;
    for (let column = 0; column < newColumns; column += 1, out += 1, source += across) result[out] = values[source];
  }
  return result;
}

// The facts of a film once it is turned: its sides, and what is measured along them.
export function turnedFacts(facts, orientation) {
  if (orientation.quarters % 2 === 0) return facts;
  return {
    ...facts,
    rows: facts.columns,
    columns: facts.rows,
    sample_rows: facts.sample_columns,
    sample_columns: facts.sample_rows,
    pixel_height: 1 / facts.pixel_height,
    spacing: facts.spacing ? [facts.spacing[1], facts.spacing[0]] : facts.spacing,
  };
}
