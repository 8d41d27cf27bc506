// Texts in the language of the page, by the catalogue that the page brings; without one, in English.

/** The language of the page, with the digits that the server writes. */
export const language = `${document.documentElement.lang}-u-nu-latn`;

const catalogue = JSON.parse(document.body.dataset.messages ?? "{}");
const plural = new Intl.PluralRules(document.documentElement.lang);
// The catalogue has the forms in this order, too.
const forms = ["zero", "one", "two", "few", "many", "other"].filter((form) =>
  plural.resolvedOptions().pluralCategories.includes(form),
);

/** Return a text in the page's language; `values` replace its placeholders, such as `%(name)s`. */
export function gettext(text, values = {}) {
  return fill(catalogue[text] ?? text, values);
}

/** Return the text for a number, with the same placeholders. */
export function ngettext(one, many, number, values = {}) {
  const known = catalogue[one]?.[forms.indexOf(plural.select(number))];
  return fill(known ?? (number === 1 ? one : many), values);
}

function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}
