// Computes a recorded graph again in a web page: values, partials and gradients, as the Python engine does.
// The rules of the operations are written by javascript.py; here are the functions that they use, and the sweeps.
"use strict";

/**
 * @typedef {number | "nan" | "inf" | "-inf"} Stored A number in JSON.
 *
 * @typedef {object} GraphNode A node of a saved log.
 * @property {string | null} op
 * @property {string | null} [name]
 * @property {number[]} inputs Numbers of nodes.
 * @property {Stored[]} [operands] The numbers of all operands, constants included.
 * @property {Record<string, Stored>} [constants] The operands that are no nodes, by their position.
 * @property {Stored[]} [partials]
 * @property {Stored} data
 *
 * @typedef {object} Rule An operation; an n-ary one takes its operands as an array, and one function gives all partials.
 * @property {boolean} nary
 * @property {(...operands: any[]) => number} value Throws where Python raises.
 * @property {((z: number, ...operands: any[]) => any)[]} partials
 * @property {(...operands: any[]) => string | null} check The text of Python's DomainError, or null.
 * @property {(operands: number[], described: string[], failure: unknown) => DomainError} refuse
 *
 * @typedef {Record<string, Rule>} Rules
 *
 * @typedef {["f", number, number]} ForwardEvent Node, result.
 * @typedef {["b", number, number, number, number, number, number]} BackwardEvent
 *     Node, position of the input, adjoint, partial, contribution, running total.
 *
 * @typedef {object} State What forward() computed.
 * @property {number[]} data
 * @property {number[][]} partials
 * @property {ForwardEvent[]} events
 */

/** An operation has no value: what Python's DomainError says, and the node, if it is known. */
class DomainError extends Error {
  /** @param {string} message @param {number | null} node */
  constructor(message, node = null) {
    super(message);
    this.name = "DomainError";
    this.node = node;
  }
}

const autograd = (() => {
  /** x² − (x·x), exactly: by halves of x whose products are exact (Dekker 1971). @param {number} x */
  const squareError = (x) => {
    const c = 134217729 * x; // 2²⁷ + 1
    const high = c - (c - x);
    const low = x - high;
    return high * high - x * x + 2 * high * low + low * low;
  };

  const ONE_OVER_SQRT_PI = 0.5641895835477563;

  /**
   * exp(±x²), where rounding x² would be amplified: x in single precision has an exact square.
   * @param {number} x @param {1 | -1} sign
   */
  const expOfSquare = (x, sign) => {
    const near = Math.fround(x);
    const power = Math.exp(sign * near * near);
    if (power === 0 || power === Infinity) return power;
    return power + power * Math.expm1(sign * (x - near) * (x + near));
  };

  // Functions of IEEE 754: inf or nan where there is no number ------------------------------------------------------

  const ieee = {
    abs: Math.abs, sqrt: Math.sqrt, cbrt: Math.cbrt,
    exp: Math.exp, expm1: Math.expm1, log: Math.log, log2: Math.log2, log10: Math.log10, log1p: Math.log1p,
    sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin, acos: Math.acos, atan: Math.atan,
    atan2: Math.atan2, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh,
    asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh,
    floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc,

    /** The nearest whole number; of two the even one. @param {number} x */
    round(x) {
      const up = Math.round(x); // halves upwards
      return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
    },
    /** As in C, 1 to any power is 1, and so is −1 to an infinite one. @param {number} x @param {number} y */
    pow: (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y)),
    /**
     * The root of the sum of squares, corrected by a Newton step whose residual is computed with exact squares.
     * @param {number} x @param {number} y
     */
    hypot(x, y) {
      const [a, b] = [Math.max(Math.abs(x), Math.abs(y)), Math.min(Math.abs(x), Math.abs(y))];
      if (!(a > 0 && a < Infinity)) return Math.hypot(x, y);
      const scale = a > 1e150 ? 2 ** -600 : b < 1e-150 ? 2 ** 600 : 1; // so that no square over- or underflows
      const [p, q] = [a * scale, b * scale];
      if (q < p * 2 ** -27 || p > 1e150) return a;
      const h = Math.sqrt(p * p + q * q);
      const residual = h * h - p * p - q * q + (squareError(h) - squareError(p) - squareError(q));
      return (h - residual / (2 * h)) / scale;
    },
    /** By its power series; from 1 on as 1 − erfc. @param {number} x @returns {number} */
    erf(x) {
      if (Math.abs(x) >= 1) return ieee.copysign(1 - ieee.erfc(Math.abs(x)), x);
      let [term, tail] = [x, 0];
      for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(x); n++) {
        term *= (-x * x) / n;
        tail += term / (2 * n + 1);
      }
      return ieee.copysign(2 * ONE_OVER_SQRT_PI * (x + tail), x);
    },
    /** @param {number} x */
    erfc: (x) => (x >= 0.45 ? ieee.erfcx(x) * expOfSquare(x, -1) : 1 - ieee.erf(x)),
    /**
     * exp(x²)·erfc x: by Laplace's continued fraction, whose terms are all positive.
     * @param {number} x @returns {number}
     */
    erfcx(x) {
      if (!(x >= 0.45)) return x < -27 ? Infinity : expOfSquare(x, 1) * (1 - ieee.erf(x));
      let tail = x;
      for (let n = Math.ceil(200 / (x * x)) + 20; n > 0; n--) tail = x + n / 2 / tail; // beyond: below rounding
      return ONE_OVER_SQRT_PI / tail;
    },
    /** @param {number} x @param {number} y */
    copysign: (x, y) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)),
    /** @param {number} x @param {number} y */
    fmod: (x, y) => x % y,
    /** The remainder with the sign of y. @param {number} x @param {number} y */
    mod(x, y) {
      const rest = x % y;
      if (rest === 0) return ieee.copysign(0, y);
      return rest < 0 !== y < 0 ? rest + y : rest;
    },
    /** From the left, as Python adds. @param {number[]} xs */
    sum: (xs) => xs.reduce((total, x) => total + x, 0),
    /** Nan if one is. @param {number[]} xs */
    largest: (xs) => xs.reduce((x, y) => (x > y ? x : y >= x ? y : x + y)),
    /** @param {number[]} ws @param {number[]} xs @param {number} bias */
    dot: (ws, xs, bias) => ws.reduce((total, w, i) => total + w * xs[i], 0) + bias,
  };

  // The same functions, which throw where those of Python's math raise ----------------------------------------------

  class NoNumber extends Error {}

  /** @param {boolean} overflow @returns {never} */
  const raise = (overflow) => {
    throw new NoNumber(overflow ? "overflows" : "has no value");
  };

  /**
   * A function that throws where its result is nan though no operand is, or infinite though all are finite.
   * @template {(...operands: number[]) => number} F
   * @param {F} f
   * @param {(...operands: number[]) => boolean} overflows Whether an infinite result is too large, not a pole.
   * @returns {F}
   */
  const raising = (f, overflows = () => false) => {
    /** @param {number[]} operands */
    const checked = (...operands) => {
      const result = f(...operands);
      if (Number.isNaN(result) && !operands.some(Number.isNaN)) raise(false);
      if (Math.abs(result) === Infinity && operands.every(Number.isFinite)) raise(overflows(...operands));
      return result;
    };
    return /** @type {F} */ (checked);
  };

  /** @param {(x: number) => number} f To a whole number, which nothing but a finite one has. */
  const whole = (f) => (/** @type {number} */ x) => (Number.isFinite(x) ? f(x) : raise(!Number.isNaN(x)));

  const always = () => true;
  const python = {
    ...ieee,
    sqrt: raising(ieee.sqrt),
    exp: raising(ieee.exp, always), expm1: raising(ieee.expm1, always),
    log: raising(ieee.log), log2: raising(ieee.log2), log10: raising(ieee.log10), log1p: raising(ieee.log1p),
    sin: raising(ieee.sin), cos: raising(ieee.cos), tan: raising(ieee.tan),
    asin: raising(ieee.asin), acos: raising(ieee.acos),
    sinh: raising(ieee.sinh, always), cosh: raising(ieee.cosh, always),
    acosh: raising(ieee.acosh), atanh: raising(ieee.atanh),
    floor: whole(ieee.floor), ceil: whole(ieee.ceil), trunc: whole(ieee.trunc), round: whole(ieee.round),
    erfcx: raising(ieee.erfcx, always),
    pow: raising(ieee.pow, (x) => x !== 0),
    fmod: raising(ieee.fmod),
    /** @param {number} x @param {number} y */
    div: (x, y) => (y === 0 ? raise(false) : x / y),
    /** @param {number} x @param {number} y */
    mod: (x, y) => (y === 0 ? raise(false) : ieee.mod(x, y)),
  };

  // Rules -----------------------------------------------------------------------------------------------------------

  /**
   * A row of the table.
   * @param {string} names The operands: "x y", or "*ws *xs b" of an n-ary row.
   * @param {string} sentence The text of the DomainError, with {what} and {listed}.
   * @param {(...operands: any[]) => number} value
   * @param {((z: number, ...operands: any[]) => any)[]} partials
   * @returns {Rule}
   */
  const rule = (names, sentence, value, ...partials) => {
    const listed = names.split(" ");
    const starred = listed.filter((name) => name.startsWith("*")).length;
    const nary = starred > 0;
    /** The rules' arguments: equally many operands for each starred name, then the last. @param {number[]} xs */
    const split = (xs) => {
      const n = Math.floor(xs.length / starred);
      const arrays = Array.from({ length: starred }, (_, k) => xs.slice(k * n, (k + 1) * n));
      return starred === listed.length ? arrays : [...arrays, xs.length > starred * n ? xs.at(-1) : 0];
    };
    /** @type {Rule["refuse"]} */
    const refuse = (operands, described, failure) => {
      if (!(failure instanceof NoNumber)) throw failure;
      const all = operands.map((_, i) => `${nary ? `x${i}` : listed[i]} = ${described[i]}`).join(", ");
      return new DomainError(sentence.replace("{what}", failure.message).replace("{listed}", () => all));
    };
    /** @param {any[]} given */
    const check = (...given) => {
      /** @type {number[]} */
      const operands = nary ? given[0] : given;
      try {
        value(...(nary ? split(operands) : operands));
      } catch (failure) {
        return refuse(operands, operands.map(written), failure).message;
      }
      return null;
    };
    return {
      nary,
      value: nary ? (/** @type {number[]} */ xs) => value(...split(xs)) : value,
      partials: nary
        ? partials.map((f) => (z, /** @type {number[]} */ xs) => f(z, ...split(xs)).slice(0, xs.length))
        : partials,
      check,
      refuse,
    };
  };

  /**
   * As many numbers as an array has, from their positions.
   * @param {number[]} xs @param {(i: number) => number} f
   */
  const each = (xs, f) => xs.map((_, i) => f(i));

  /** A number as Python writes it. @param {number} x */
  const written = (x) => {
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
    if (Object.is(x, -0)) return "-0.0";
    const size = Math.abs(x);
    if (x !== 0 && (size < 1e-4 || size >= 1e16)) {
      return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
    }
    const text = String(x);
    return Number.isInteger(x) ? `${text}.0` : text;
  };

  /** A text as Python writes it in quotes. @param {string} text */
  const quoted = (text) => {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const marks = /** @type {Record<string, string>} */ ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" });
    const inside = text.replace(/[\\'"]|[^ ]/gu, (c) => {
      if (c === "\\" || c === quote) return `\\${c}`;
      if (!/[\p{C}\p{Z}]/u.test(c)) return c;
      const code = /** @type {number} */ (c.codePointAt(0)).toString(16);
      return marks[c] ?? (code.length <= 2 ? `\\x${code.padStart(2, "0")}`
        : code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`);
    });
    return quote + inside + quote;
  };

  // Graphs ----------------------------------------------------------------------------------------------------------

  /** @param {Stored} x */
  const number = (x) => (typeof x === "number" ? x : { nan: NaN, inf: Infinity, "-inf": -Infinity }[x]);

  /**
   * Which leaves may be changed: those from which only operations with a rule follow.
   * @param {Rules} rules
   * @param {GraphNode[]} nodes
   * @returns {boolean[]} For each node; false also where it is no leaf.
   */
  const editable = (rules, nodes) => {
    const free = nodes.map(() => true);
    for (const [k, node] of [...nodes.entries()].reverse()) {
      if (node.op !== null && !Object.hasOwn(rules, node.op)) free[k] = false;
      if (!free[k]) for (const i of node.inputs) free[i] = false;
    }
    return free.map((is, k) => is && nodes[k].op === null);
  };

  /**
   * Compute values and partials again.
   * @param {Rules} rules
   * @param {GraphNode[]} nodes Inputs before the nodes that use them.
   * @param {Record<number, number>} leaves New values of leaves; the others keep theirs.
   * @returns {State}
   * @throws {DomainError} where an operation has no value; what was computed before is not touched.
   */
  const forward = (rules, nodes, leaves = {}) => {
    /** @type {State} */
    const state = { data: [], partials: [], events: [] };
    /** @type {boolean[]} */
    const changed = [];
    nodes.forEach((node, k) => {
      if (node.op === null) {
        state.data[k] = leaves[k] ?? number(node.data);
        state.partials[k] = [];
        changed[k] = !Object.is(state.data[k], number(node.data));
        return;
      }
      changed[k] = node.inputs.some((i) => changed[i]);
      if (Object.hasOwn(rules, node.op)) {
        compute(rules[node.op], nodes, k, state);
      } else if (!changed[k]) {
        state.data[k] = number(node.data);
        state.partials[k] = (node.partials ?? []).map(number);
      } else {
        throw new Error(`no JavaScript rule for ${node.op}`);
      }
      state.events.push(["f", k, state.data[k]]);
    });
    return state;
  };

  /**
   * Compute one node from its operands.
   * @param {Rule} row
   * @param {GraphNode[]} nodes
   * @param {number} k
   * @param {State} state
   */
  const compute = (row, nodes, k, state) => {
    const { inputs, constants = {} } = nodes[k];
    const count = inputs.length + Object.keys(constants).length;
    /** @type {number[]} */
    const operands = [];
    /** @type {number[]} */
    const places = []; // of the inputs among the operands
    for (let at = 0; at < count; at++) {
      const constant = constants[at];
      operands.push(constant === undefined ? state.data[inputs[places.length]] : number(constant));
      if (constant === undefined) places.push(at);
    }
    try {
      const z = (state.data[k] = row.nary ? row.value(operands) : row.value(...operands));
      const all = row.nary ? row.partials[0](z, operands) : null;
      state.partials[k] = places.map((at) => (row.nary ? all[at] : row.partials[at](z, ...operands)));
    } catch (failure) {
      const described = operands.map(written);
      places.forEach((at, i) => (described[at] = describe(nodes[inputs[i]], operands[at])));
      const error = row.refuse(operands, described, failure);
      error.node = k;
      throw error;
    }
  };

  /** A node in a few words: its name or operation, and its value. @param {GraphNode} node @param {number} x */
  const describe = (node, x) => {
    const what = node.name != null ? quoted(node.name) : node.op === null ? "a leaf" : `the result of ${node.op}`;
    return `${what} (= ${written(x)})`;
  };

  /**
   * The contribution of an edge: 0 if either factor is exactly 0, even if the other is inf or nan.
   * @param {number} adjoint @param {number} partial
   */
  const carried = (adjoint, partial) => (adjoint !== 0 && partial !== 0 ? adjoint * partial : 0);

  /**
   * The reverse sweep, from zero.
   * @param {GraphNode[]} nodes
   * @param {State} state
   * @param {number} root
   * @returns {{grads: number[], events: BackwardEvent[]}}
   */
  const backward = (nodes, state, root = nodes.length - 1) => {
    const grads = nodes.map(() => 0);
    /** @type {BackwardEvent[]} */
    const events = [];
    grads[root] = 1;
    for (let k = root; k >= 0; k--) {
      const adjoint = grads[k];
      if (adjoint === 0) continue;
      nodes[k].inputs.forEach((input, position) => {
        const partial = state.partials[k][position];
        const contribution = carried(adjoint, partial);
        const total = grads[input] + contribution;
        grads[input] = total;
        events.push(["b", k, position, adjoint, partial, contribution, total]);
      });
    }
    return { grads, events };
  };

  return { ieee, python, rule, each, editable, forward, backward, carried, number, written };
})();
