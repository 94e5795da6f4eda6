// Texts of scripts: English without a catalogue, and by what a page brings.
import assert from "node:assert/strict";
import { test } from "node:test";

const brought = {
  plurals: { one: 0, other: 1 },
  texts: { "waiting": "wartet", "{number} image": ["{number} Bild", "{number} Bilder"], "window\u0004Other": "Anderes" },
};

test("without a catalogue the texts are English", async () => {
  const { gettext, locale, ngettext, numberText, pgettext } = await import("#static/common/texts.js");
  assert.equal(gettext("{name}: taken back", { name: "Doe" }), "Doe: taken back");
  assert.equal(ngettext("{number} image", "{number} images", 1), "1 image");
  assert.equal(ngettext("{number} image", "{number} images", 3), "3 images");
  assert.equal(pgettext("window", "Other"), "Other");
  assert.equal(locale, "en-GB");
  assert.equal(numberText(1234.5, 2), "1234.50");
});

test("a page brings the texts of its language", async () => {
  globalThis.document = /** @type {any} */ ({
    documentElement: { lang: "de" },
    getElementById: (id) => (id === "texts" ? { textContent: JSON.stringify(brought) } : null),
  });
  const { gettext, inLanguage, ngettext, numberText, pgettext } = await import("#static/common/texts.js?of=de");
  delete globalThis.document;
  assert.equal(gettext("waiting"), "wartet");
  assert.equal(gettext("No such text"), "No such text");
  assert.equal(gettext("{number} image", { number: 1 }), "1 Bild");
  assert.deepEqual([0, 1, 2].map((number) => ngettext("{number} image", "{number} images", number)), ["0 Bilder", "1 Bild", "2 Bilder"]);
  assert.equal(pgettext("window", "Other"), "Anderes");
  assert.equal(numberText(0.5, 2), "0,50");
  assert.deepEqual(inLanguage({ method: "POST" }), { method: "POST", headers: { "X-Page-Language": "de" } });
});
