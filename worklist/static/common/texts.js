// The texts of scripts, in the language of the page. They are English here; for another language the
// page brings those of its catalogue (`script_texts` in readfirst/language/languages.py).

const brought = globalThis.document?.getElementById("texts")?.textContent;
const { plurals = {}, texts = {} } = brought ? JSON.parse(brought) : {};

export const language = globalThis.document?.documentElement.lang || "en";

// The language for the browser's own dates; the hours of a day are 24 in each.
export const locale = language === "en" ? "en-GB" : language;

// Puts values in place of their names in braces.
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// One text counts in one place and not in another: then its first form is meant.
const translated = (key, text) => [texts[key] ?? text].flat()[0];

/** @param {string} text @param {Record<string, unknown>} [values] */
export const gettext = (text, values = {}) => filled(translated(text, text), values);

// context: says which is meant, where a text means different things.
/** @param {string} context @param {string} text @param {Record<string, unknown>} [values] */
export const pgettext = (context, text, values = {}) => filled(translated(`${context}\u0004${text}`, text), values);

// The form of a text that fits a number.
/** @param {string} singular @param {string} plural @param {number} number @param {Record<string, unknown>} [values] */
export function ngettext(singular, plural, number, values = {}) {
  const forms = texts[singular];
  const text = forms ? forms[plurals[new Intl.PluralRules(language).select(number)] ?? 0] : number === 1 ? singular : plural;
  return filled(text, { number, ...values });
}

// A number with its digits behind the point, as the language writes it.
export const numberText = (value, digits = 0) =>
  new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false }).format(value);

// What a request needs to be answered by sentences in the language of the page.
export const inLanguage = (options = {}) => ({ ...options, headers: { ...options.headers, "X-Page-Language": language } });
