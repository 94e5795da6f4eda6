// Brings the list on the page in line with a fresh one, row by row, each known by its id.

// fresh: the list as the server says it. keepGone: rows that are in it no longer stay, greyed.
// Returns the rows that came in and those that rose, being flagged now; those that only follow
// behind a full page are neither.
export function bringUpToDate(list, fresh, { keepGone }) {
  const table = list.querySelector("table.studies");
  const freshTable = fresh.querySelector("table.studies");
  if (!table || !freshTable) {
    list.replaceChildren(...fresh.childNodes);
    return { arrived: [...list.querySelectorAll("tbody tr[data-uid]")], risen: [] };
  }
  const focused = document.activeElement;
  const isFull = fresh.querySelector("a[rel=next]") !== null;
  replaceAround(list, table, fresh, freshTable);
  const wanted = [...freshTable.tBodies[0].rows];
  const news = newsAmong(table.tBodies[0], wanted, isFull);
  bringRows(table.tBodies[0], wanted, keepGone);
  if (focused?.isConnected && list.contains(focused)) focused.focus({ preventScroll: true });
  const onPage = (row) => document.getElementById(row.id);
  return { arrived: news.arrived.map(onPage), risen: news.risen.map(onPage) };
}

// Takes away the rows that stayed though they are in the list no longer.
export function dropGone(list) {
  for (const row of list.querySelectorAll("tr.is-gone")) row.remove();
}

// What stands above and below the table, and its head: left alone where nothing changed.
function replaceAround(list, table, fresh, freshTable) {
  const [before, after] = partsAround(fresh, freshTable);
  const [oldBefore, oldAfter] = partsAround(list, table);
  if (said(before) !== said(oldBefore)) {
    for (const part of oldBefore) part.remove();
    table.before(...before);
  }
  if (said(after) !== said(oldAfter)) {
    for (const part of oldAfter) part.remove();
    table.after(...after);
  }
}

function partsAround(list, table) {
  const parts = [...list.children];
  const place = parts.indexOf(table);
  return [parts.slice(0, place), parts.slice(place + 1)];
}

const said = (parts) => parts.map((part) => part.outerHTML).join("");

function newsAmong(body, wanted, isFull) {
  const old = new Map([...body.rows].map((row) => [row.id, row]));
  const lastOld = isFull ? wanted.findLastIndex((row) => old.has(row.id)) : wanted.length;
  const studies = wanted.filter((row) => row.dataset.uid);
  const isFlagged = (row) => row.classList.contains("is-flagged");
  return {
    arrived: studies.filter((row) => !old.has(row.id) && wanted.indexOf(row) < lastOld),
    risen: studies.filter((row) => isFlagged(row) && old.has(row.id) && !isFlagged(old.get(row.id))),
  };
}

function bringRows(body, wanted, keepGone) {
  const old = new Map([...body.rows].map((row) => [row.id, row]));
  const wantedIds = new Set(wanted.map((row) => row.id));
  const gone = new Set([...body.rows].filter((row) => !wantedIds.has(row.id)));
  for (const row of gone) leave(row, keepGone);
  let place = body.firstElementChild;
  for (const fresh of wanted) {
    while (place && gone.has(place)) place = place.nextElementSibling;
    const row = old.get(fresh.id) ?? document.adoptNode(fresh);
    if (row !== fresh) refresh(row, fresh);
    if (row === place) place = row.nextElementSibling;
    else body.insertBefore(row, place);
  }
}

function leave(row, keepGone) {
  if (keepGone && row.dataset.uid) row.classList.add("is-gone");
  else row.remove();
}

// The row stays, and its content becomes that of the fresh one.
function refresh(row, fresh) {
  row.classList.remove("is-gone");
  if (row.dataset.version === fresh.dataset.version) return;
  const kept = ["is-selected", "is-new"].filter((name) => row.classList.contains(name));
  const hasFocus = row.contains(document.activeElement);
  const tabIndex = row.querySelector(".open")?.tabIndex;
  for (const { name, value } of [...fresh.attributes]) row.setAttribute(name, value);
  row.toggleAttribute("data-scored", fresh.hasAttribute("data-scored"));
  row.classList.add(...kept);
  row.replaceChildren(...fresh.childNodes);
  const link = row.querySelector(".open");
  if (link && tabIndex !== undefined) link.tabIndex = tabIndex;
  if (hasFocus) link?.focus({ preventScroll: true });
}
