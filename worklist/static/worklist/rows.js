// Merges a fresh list into the one on the page, row by row, each known by its id.

// fresh: the list from the server. keepGone: rows that are no longer in it stay, greyed.
// Returns the rows that came in and those that are flagged now; rows that only follow at the end of
// a full page are neither.
export function updateList(list, fresh, { keepGone }) {
  const table = list.querySelector("table.studies");
  const freshTable = fresh.querySelector("table.studies");
  if (!table || !freshTable) {
    list.replaceChildren(...fresh.childNodes);
    return { arrived: [...list.querySelectorAll("tbody tr[data-uid]")], newlyFlagged: [] };
  }
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const isFull = fresh.querySelector("a[rel=next]") !== null;
  updateAround(list, table, fresh, freshTable);
  const freshRows = [...freshTable.tBodies[0].rows];
  const { arrived, newlyFlagged } = compare(table.tBodies[0], freshRows, isFull);
  mergeRows(table.tBodies[0], freshRows, keepGone);
  if (focused?.isConnected && list.contains(focused)) focused.focus({ preventScroll: true });
  const onPage = (row) => document.getElementById(row.id);
  return { arrived: arrived.map(onPage), newlyFlagged: newlyFlagged.map(onPage) };
}

// Removes the rows that stayed though they are no longer in the list.
export function removeGone(list) {
  for (const row of list.querySelectorAll("tr.is-gone")) row.remove();
}

// Updates what is above and below the table, where it differs.
function updateAround(list, table, fresh, freshTable) {
  const [freshBefore, freshAfter] = elementsAround(fresh, freshTable);
  const [before, after] = elementsAround(list, table);
  if (htmlOf(freshBefore) !== htmlOf(before)) {
    for (const element of before) element.remove();
    table.before(...freshBefore);
  }
  if (htmlOf(freshAfter) !== htmlOf(after)) {
    for (const element of after) element.remove();
    table.after(...freshAfter);
  }
}

function elementsAround(list, table) {
  const elements = [...list.children];
  const index = elements.indexOf(table);
  return [elements.slice(0, index), elements.slice(index + 1)];
}

const htmlOf = (elements) => elements.map((element) => element.outerHTML).join("");

const rowsById = (body) => new Map([...body.rows].map((row) => [row.id, row]));

function compare(body, freshRows, isFull) {
  const current = rowsById(body);
  const lastKnown = isFull ? freshRows.findLastIndex((row) => current.has(row.id)) : freshRows.length;
  const studies = freshRows.filter((row) => row.dataset.uid);
  const isFlagged = (row) => row.classList.contains("is-flagged");
  return {
    arrived: studies.filter((row) => !current.has(row.id) && freshRows.indexOf(row) < lastKnown),
    newlyFlagged: studies.filter((row) => isFlagged(row) && current.has(row.id) && !isFlagged(current.get(row.id))),
  };
}

function mergeRows(body, freshRows, keepGone) {
  const current = rowsById(body);
  const freshIds = new Set(freshRows.map((row) => row.id));
  const gone = new Set([...body.rows].filter((row) => !freshIds.has(row.id)));
  for (const row of gone) removeRow(row, keepGone);
  let next = body.firstElementChild;
  for (const fresh of freshRows) {
    while (next && gone.has(next)) next = next.nextElementSibling;
    const row = current.get(fresh.id) ?? document.adoptNode(fresh);
    if (row !== fresh) updateRow(row, fresh);
    if (row === next) next = row.nextElementSibling;
    else body.insertBefore(row, next);
  }
}

function removeRow(row, keepGone) {
  if (keepGone && row.dataset.uid) row.classList.add("is-gone");
  else row.remove();
}

// The row stays, and its content becomes that of the fresh one.
function updateRow(row, fresh) {
  row.classList.remove("is-gone");
  if (row.dataset.version === fresh.dataset.version) return;
  const localClasses = ["is-selected", "is-new"].filter((name) => row.classList.contains(name));
  const hasFocus = row.contains(document.activeElement);
  const tabIndex = row.querySelector(".open")?.tabIndex;
  for (const { name, value } of fresh.attributes) row.setAttribute(name, value);
  row.toggleAttribute("data-scored", fresh.hasAttribute("data-scored"));
  row.classList.add(...localClasses);
  row.replaceChildren(...fresh.childNodes);
  const link = row.querySelector(".open");
  if (link && tabIndex !== undefined) link.tabIndex = tabIndex;
  if (hasFocus) link?.focus({ preventScroll: true });
}
