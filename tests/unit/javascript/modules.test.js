// All modules of the pages, without a page.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../", import.meta.resolve("#static/common/icon.svg"));
// Loaded by templates; everything else is imported by them.
const ENTRIES = /(main|preload|upload|account\/login|common\/forget-text|refused\/follow)\.js$/;

const scripts = readdirSync(STATIC, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".js") && !path.startsWith("vendor"));

for (const path of scripts.filter((name) => !ENTRIES.test(name))) {
  test(`${path} can be imported where there is no document`, async () => {
    assert.equal(globalThis.document, undefined);
    await import(`#static/${path}`);
  });
}

const TEMPLATES = new URL("../templates/", STATIC);
const sources = [
  ...readdirSync(TEMPLATES, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html"))
    .map((path) => readFileSync(new URL(path, TEMPLATES), "utf8")),
  ...scripts.map((path) => readFileSync(new URL(path, STATIC), "utf8")),
].join("\n");

test("every address of a static file leads to one", () => {
  const addresses = [...sources.matchAll(/"(?:\/static|\{\{ static \}\})\/([^"]+)"/g)].map(([, path]) => path);
  assert.ok(addresses.length > 10);
  for (const path of addresses) assert.ok(existsSync(new URL(path, STATIC)), path);
});

test("templates name static files by their digest", () => {
  assert.ok(!/(src|href)="\/static\//.test(sources));
});

test("every script is used", () => {
  for (const path of scripts) {
    const name = path.split("/").at(-1);
    assert.ok(sources.includes(`{{ static }}/${path}"`) || sources.includes(`/${name}";`), path);
  }
});
