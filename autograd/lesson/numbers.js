// Numbers: how they are written, and how a number that a person typed is read.
"use strict";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The distance from x to the next float. @param {number} x */
function ulp(x) {
  const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(x))));
  return Math.pow(2, exponent - 52);
}

/**
 * A number with that many significant digits, zeros kept; within 4 ulp of a shorter decimal, that decimal.
 * @param {number} x @param {number} [digits]
 */
function show(x, digits = 6) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  let places = digits;
  for (let p = 1; p < digits; p++) {
    if (Math.abs(Number(size.toPrecision(p)) - size) <= 4 * ulp(size)) {
      places = p;
      break;
    }
  }
  const short = places < digits || Math.abs(Number(size.toPrecision(digits)) - size) <= 4 * ulp(size);
  const [mantissa, exponent] = size.toExponential(places - 1).split("e");
  const power = Number(exponent);
  const sign = x < 0 ? "−" : "";
  if (power < -4 || power >= 6) {
    const raised = [...String(Math.abs(power))].map((d) => SUPERSCRIPTS[Number(d)]).join("");
    return `${sign}${mantissa}×10${power < 0 ? "⁻" : ""}${raised}`;
  }
  return sign + (short ? String(Number(size.toPrecision(digits))) : size.toFixed(Math.max(0, digits - 1 - power)));
}

/** A number with its sign, for a term of a sum. @param {number} x @param {number} [digits] */
function signed(x, digits = 6) {
  return x <= 0 || Number.isNaN(x) ? show(x, digits) : `+${show(x, digits)}`;
}

/**
 * The terms of one sum with the same number of decimals.
 * @param {number[]} terms @param {number} [digits] @returns {string[]}
 */
function aligned(terms, digits = 6) {
  const texts = terms.map((x) => show(x, digits));
  if (texts.some((t) => /[×∞n]/.test(t))) return texts;
  const decimals = Math.max(...texts.map((t) => (t.split(".")[1] || "").length));
  return terms.map((x, k) => {
    const text = Math.abs(x).toFixed(decimals);
    return (x < 0 ? "−" : "") + (texts[k].includes(".") || decimals > 0 ? text : texts[k].replace("−", ""));
  });
}

/**
 * The number that a person typed: signs − and -, e-notation, a decimal comma, + − * / ^ and parentheses.
 * @param {string} text @returns {number | null} null if it is none
 */
function readNumber(text) {
  const tokens = text
    .replace(/[−–]/g, "-")
    .replace(/[×·]/g, "*")
    .replace(/÷/g, "/")
    .replace(/,/g, ".")
    .match(/\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|[-+*/^()]|nan|inf|∞|\S/gi);
  if (!tokens) return null;
  let at = 0;
  let depth = 0;
  /** @returns {number} */
  function atom() {
    const token = (tokens || [])[at++];
    if (token === undefined || ++depth > 200) throw new SyntaxError();
    let value;
    if (token === "(") {
      value = sum();
      if ((tokens || [])[at++] !== ")") throw new SyntaxError();
    } else if (token === "-") value = -power();
    else if (token === "+") value = power();
    else if (/^nan$/i.test(token)) value = NaN;
    else if (/^(inf|∞)$/i.test(token)) value = Infinity;
    else if (/^[\d.]/.test(token)) value = Number(token);
    else throw new SyntaxError();
    depth--;
    return value;
  }
  /** @returns {number} */
  function power() {
    const base = atom();
    if ((tokens || [])[at] !== "^") return base;
    at++;
    return Math.pow(base, power());
  }
  /** @returns {number} */
  function product() {
    let value = power();
    for (let t = (tokens || [])[at]; t === "*" || t === "/"; t = (tokens || [])[at]) {
      at++;
      const next = power();
      value = t === "*" ? value * next : value / next;
    }
    return value;
  }
  /** @returns {number} */
  function sum() {
    let value = product();
    for (let t = (tokens || [])[at]; t === "+" || t === "-"; t = (tokens || [])[at]) {
      at++;
      const next = product();
      value = t === "+" ? value + next : value - next;
    }
    return value;
  }
  try {
    const value = sum();
    return at === tokens.length ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}
