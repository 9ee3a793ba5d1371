// Words: the page's sentences in the language in force, with the names and numbers filled in.
"use strict";

/** Translations: language → English message → message. Filled from the page's data. @type {Record<string, Record<string, string>>} */
let catalogues = {};
let language = "en";

/** The message in the language in force. @param {string} message */
function _(message) {
  return (catalogues[language] || {})[message] || message;
}

/** Text made safe as HTML. @param {string} text */
function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/**
 * A message as HTML, with `{name}` replaced by HTML that is safe already.
 * @param {string} message @param {Record<string, string | number>} [values]
 */
function fill(message, values = {}) {
  return escapeHtml(message).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** The name of a scope as people read it: those that nn gives are translated. @param {string} name */
function scopeName(name) {
  if (name === "hidden layer") return _("hidden layer");
  if (name === "output layer") return _("output layer");
  const numbered = /^hidden layer (\d+)$/.exec(name);
  return numbered ? _("hidden layer {number}").replace("{number}", numbered[1]) : name;
}

/** Several names as one: a, b and c. @param {string[]} items HTML */
function listed(items) {
  if (items.length < 2) return items.join("");
  const list = items.slice(1, -1).reduce((first, second) => fill(_("{first}, {second}"), { first, second }), items[0]);
  return fill(_("{list} and {last}"), { list, last: items[items.length - 1] });
}

/** Sentences one after the other. @param {string[]} items HTML */
function sentences(items) {
  return items.reduce((first, second) => fill(_("{first} {second}"), { first, second }));
}
