// Durations, and what a tab remembers of its list, without a page.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { shortDuration } from "#static/worklist/clock.js";
import { pauseAfter } from "#static/worklist/live.js";

const stored = new Map();
globalThis.sessionStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: (name) => stored.delete(name),
};
globalThis.location = { pathname: "/", search: "?flagged=1" };
const state = await import("#static/worklist/state.js");
beforeEach(() => stored.clear());

test("durations are short", () => {
  const seconds = [-3, 0, 59.9, 60, 3599, 3600, 11_100, 86_399, 86_400, 187_200];
  assert.deepEqual(seconds.map(shortDuration), [
    "0 s", "0 s", "59 s", "1 min", "59 min", "1 h 00", "3 h 05", "23 h 59", "1 d 0 h", "2 d 4 h",
  ]);
});

test("a slow server is asked less often, and after a very slow answer again within seconds", () => {
  assert.deepEqual([5, 100, 1000, 15_000].map(pauseAfter), [700, 800, 8000, 10_000]);
});

test("the text that is looked for is kept, and no empty one", () => {
  state.storeSearchText("Díaz");
  assert.equal(state.searchText(), "Díaz");
  state.storeSearchText("");
  assert.equal(state.searchText(), "");
  assert.equal(stored.size, 0);
});

test("a list is remembered with its address and order", () => {
  assert.deepEqual([state.listAddress(), state.listedStudies()], ["/", []]);
  state.storeList([{ dataset: { uid: "1.2" } }, { dataset: { uid: "1.1" } }]);
  assert.deepEqual([state.listAddress(), state.listedStudies()], ["/?flagged=1", ["1.2", "1.1"]]);
});

test("coming back from a study counts once", () => {
  state.storeOpenedStudy("1.2");
  assert.deepEqual([state.consumeReturn(), state.consumeReturn()], [true, false]);
  assert.equal(state.selectedStudy(), "1.2");
});
