// Card: says how the number of the current step came about, as formula, numbers and sentences.
"use strict";

/**
 * A formula cut at its operands: `texts` has one part more than `slots`.
 * @typedef {{texts: string[], slots: (number | string)[], maths?: string[]}} Columns
 * @typedef {{html: string, math: string, atom?: {html: string, math: string}, columns?: Columns, slopes?: string[], reason?: Record<string, string>,
 *   editable?: string}} PageNode
 * @typedef {{nodes: PageNode[], optimizer: {kind: string, lr: number, made: number, columns: Columns, maths: Record<string, string>,
 *   settings: Record<string, any>} | null, trained: number[], memory: Record<number, Record<string, number>>, source: string | null}} Page
 */

const SHAPES = { f: "▶", b: "◀", u: "◆", q: "●" };

/** @param {string} kind */
function sweepName(kind) {
  return { f: _("Forward"), b: _("Backward"), u: _("Update") }[/** @type {"f" | "b" | "u"} */ (kind)] || "";
}

/** @param {string} body MathML */
function math(body) {
  return `<math>${body}</math>`;
}

/** @param {string | number} x */
function mn(x) {
  const text = typeof x === "number" ? show(x) : x;
  return `<mn>${escapeHtml(text)}</mn>`;
}

/** @param {string} sign */
function mo(sign) {
  return `<mo stretchy="false">${escapeHtml(sign)}</mo>`;
}

/** ∂a/∂b as MathML. @param {string} a @param {string} b */
function derivative(a, b) {
  return `<mfrac><mrow><mi mathvariant="normal">∂</mi>${a}</mrow><mrow><mi mathvariant="normal">∂</mi>${b}</mrow></mfrac>`;
}

/** A mtable. @param {string[][]} rows cells @param {string[]} [classes] of the rows */
function mathTable(rows, classes = []) {
  const row = (/** @type {string[]} */ cells, /** @type {number} */ k) =>
    `<mtr class="${classes[k] || ""}">${cells.map((c) => `<mtd>${c}</mtd>`).join("")}</mtr>`;
  return math(`<mtable>${rows.map(row).join("")}</mtable>`);
}

/**
 * A formula above its numbers, each number under its symbol.
 * @param {string[]} head what stands left of the first = @param {Columns} columns
 * @param {(slot: number | string, n: number) => string} symbol MathML @param {(slot: number | string, n: number) => number} value
 */
function overNumbers(head, columns, symbol, value) {
  const { texts, slots } = columns;
  const first = [...head];
  const second = head.map((_h, k) => (k === head.length - 1 && head.length > 1 ? mo("=") : ""));
  texts.forEach((text, n) => {
    const sign = text.trim() ? mo(text.trim()) : "";
    first.push(sign);
    second.push(sign);
    if (n >= slots.length) return;
    first.push(symbol(slots[n], n));
    const x = value(slots[n], n);
    const number_ = mn(x);
    const bare = !text.trim() || /[(|√]$/.test(text.trim());
    second.push(x < 0 && !bare ? `<mrow>${mo("(")}${number_}${mo(")")}</mrow>` : number_);
  });
  return mathTable([first, second], ["s", "n"]);
}

/** The first line of a card. @param {string} kind @param {string} text HTML @param {string[]} scope */
function kicker(kind, text, scope) {
  const where = scope.map((name) => escapeHtml(scopeName(name))).join(" › ");
  return `<div class="kick"><span class="shape" aria-hidden="true">${SHAPES[/** @type {"f"} */ (kind)]}</span> ${text}<span class="scope">${where}</span></div>`;
}

class Card {
  /** @param {HTMLElement} element @param {Page} page */
  constructor(element, page) {
    this.element = element;
    this.page = page;
    /** How many steps the optimiser has made with the one that is shown. */ this.time = 1;
  }

  /** @param {number} k */
  html(k) {
    return `<span class="sym" data-hover="n${k}">${this.page.nodes[k].html}</span>`;
  }

  /** @param {number} k */
  bold(k) {
    return `<b class="sym" data-hover="n${k}">${this.page.nodes[k].html}</b>`;
  }

  /** @param {number} k */
  math(k) {
    return `<mrow class="sym" data-hover="n${k}">${this.page.nodes[k].math}</mrow>`;
  }

  /** ∂a/∂b as MathML. @param {number} a @param {number} b */
  slope(a, b) {
    const part_ = (/** @type {number} */ k) => `<mrow class="sym" data-hover="n${k}">${(this.page.nodes[k].atom || this.page.nodes[k]).math}</mrow>`;
    return derivative(part_(a), part_(b));
  }

  /** ∂a/∂b as HTML, in one line. @param {number} a @param {number} b */
  slopeHtml(a, b) {
    const part_ = (/** @type {number} */ k) => `<span class="sym" data-hover="n${k}">${(this.page.nodes[k].atom || this.page.nodes[k]).html}</span>`;
    return `∂${part_(a)}/∂${part_(b)}`;
  }

  /** @param {string} kind @param {string} html */
  set(kind, html) {
    this.element.className = `card ${kind}`;
    this.element.innerHTML = html;
  }

  /** Before the first step. @param {Run} run */
  start(run) {
    const leaves = run.graph.leaves.length;
    this.set(
      "q",
      `<p class="res">${fill(_("How {E} was computed"), { E: this.html(run.graph.root) })}</p>
       <p class="say">${fill(_("The leaves have their values. Every step computes one number. → starts."), { n: leaves })}</p>`,
    );
  }

  /** @param {Run} run @param {number} k the event @param {boolean} asks whether the number is to be predicted @returns {string} the sentence for a screen reader */
  event(run, k, asks = false) {
    const event = run.events[k];
    const step = fill(_("step {k} of {n}"), { k: k + 1, n: run.events.length });
    const kick = kicker(event.kind, `<b>${escapeHtml(sweepName(event.kind))}</b> <span>${step}</span>`, run.scopeOf(k));
    const body = event.kind === "f" ? this.forward(run, event, asks) : event.kind === "b" ? this.backward(run, event, k, asks) : this.update(run, event, asks);
    this.set(event.kind, kick + body);
    const say = this.element.querySelector(".say");
    return say ? say.textContent || "" : "";
  }

  /** Formula and numbers of a node. @param {Run} run @param {number} k */
  formula(run, k) {
    const columns = this.page.nodes[k].columns;
    if (!columns) return "";
    const inputs = run.graph.nodes[k].inputs;
    return `<div class="fx" tabindex="0" role="group" aria-label="${escapeHtml(_("formula"))}">${overNumbers(
      [this.math(k), mo("=")], columns,
      (slot, n) => (columns.maths && columns.maths[n]) || this.math(inputs[Number(slot)]),
      (slot) => run.values[inputs[Number(slot)]],
    )}</div>`;
  }

  /** @param {Run} run @param {Forward} event @param {boolean} asks */
  forward(run, event, asks) {
    const { graph } = run;
    const { node } = event;
    const inputs = [...new Set(graph.nodes[node].inputs)];
    const users = graph.users(node).filter((u) => u !== node);
    const all = inputs.length > 8 ? [...inputs.slice(0, 7).map((x) => this.html(x)), fill(_("{n} more"), { n: inputs.length - 7 })] : inputs.map((x) => this.html(x));
    const first = fill(_("{n} is computed from {list}."), { n: this.html(node), list: listed(all) });
    const then = users.length
      ? [fill(_("Next to use it: {u}."), { u: listed(users.slice(0, 6).map((u) => this.html(u))) })]
      : node === graph.root ? [fill(_("It is the result."))] : [];
    const result = asks
      ? `<p class="res ask">${fill(_("What is {n}?"), { n: this.html(node) })}</p>`
      : `<p class="res">${math(`${this.math(node)}${mo("=")}${mn(event.result)}`)}</p>`;
    if (asks) return result + this.formula(run, node);
    return `${result}${this.formula(run, node)}<p class="say">${sentences([first, ...then])}</p>${warning(event.result)}${this.kept(run, node)}`;
  }

  /** The partials that the backward sweep will use. @param {Run} run @param {number} node */
  kept(run, node) {
    const edges = run.graph.into[node];
    if (!edges.length) return "";
    const shown = edges.slice(0, edges.length > 12 ? 11 : 12);
    const cells = shown.map((e) => {
      const x = run.graph.edges[e].from;
      return `<div><span class="k">${this.slopeHtml(node, x)}</span><span class="v">${show(run.partials[e])}</span></div>`;
    });
    if (shown.length < edges.length) cells.push(`<div><span class="k">${fill(_("{n} more"), { n: edges.length - shown.length })}</span></div>`);
    return `<h3>${fill(_("Kept for the way back: the partial of each input"))}</h3><div class="rec">${cells.join("")}</div>`;
  }

  /** @param {Run} run @param {Backward} event @param {number} k @param {boolean} asks */
  backward(run, event, k, asks) {
    const { graph } = run;
    const { node, input } = event;
    const root = graph.root;
    const arrivals = run.arrivals[input];
    const nth = arrivals.indexOf(k);
    const many = arrivals.length > 1;
    const slope = (this.page.nodes[node].slopes || [])[graph.edges[event.edge].position] || "";
    const now = many ? fill(_("{i} of {k} contributions have arrived"), { i: nth + 1, k: arrivals.length }) : "";
    const quantity = this.slope(root, input);
    const result = asks
      ? `<p class="res ask">${fill(many && nth > 0 ? _("What is the running sum at {x}?") : _("What does {n} pass on to {x}?"), { n: this.html(node), x: this.html(input) })}</p>`
      : `<p class="res">${math(`${quantity}${mo("=")}${mn(event.total)}`)}<em>${now}</em></p>`;
    const unknown = asks ? mo("?") : "";
    const rows = [
      [this.slope(root, node), mo("·"), this.slope(node, input), mo("="), ""],
      [mn(event.adjoint), mo("·"), event.partial < 0 ? `<mrow>${mo("(")}${mn(event.partial)}${mo(")")}</mrow>` : mn(event.partial), mo("="), unknown || `<mrow class="strong">${mn(event.contribution)}</mrow>`],
    ];
    const product = `<div class="fx product">${mathTable(rows, ["s", "n"])}
      <p class="labels"><span>${escapeHtml(_("adjoint"))}</span><span>${escapeHtml(_("partial"))}${slope ? ` = ${slope}` : ""}</span><span>${escapeHtml(_("contribution"))}</span></p></div>`;
    const left = `<div><h3>${this.html(node)} → ${this.html(input)}</h3>${product}</div>`;
    const right = many ? `<div><h3>${fill(_("Running sum at {x}"), { x: this.html(input) })}</h3>${this.sum(run, event, k, asks)}</div>` : "";
    if (asks) return `${result}<div class="two">${left}${right}</div>`;
    const said = [fill(_("What reaches {n} is passed on to {x}, multiplied by the edge’s partial."), { n: this.bold(node), x: this.bold(input) })];
    const leaf = graph.nodes[input].op === null;
    if (many) said.push(fill(_("{x} is used {k} times, so its gradient is the sum of {k} contributions."), { x: this.html(input), k: arrivals.length }));
    if (nth === arrivals.length - 1) {
      const next = run.events.findIndex((e, i) => i > k && e.kind === "b" && e.node === input);
      if (leaf) said.push(fill(_("A leaf: the sum ends here, as its gradient.")));
      else if (next >= 0 && many) said.push(fill(_("The sum is complete; {x} passes it on at step {s}."), { x: this.html(input), s: `<a href="#step=${next + 1}">${next + 1}</a>` }));
    }
    return `${result}<div class="two">${left}${right}</div><p class="say">${sentences(said)}</p>${warning(event.total)}`;
  }

  /** The contributions in the order of arrival, each as an arrow that starts where the last one ended. @param {Run} run @param {Backward} event @param {number} k @param {boolean} asks */
  sum(run, event, k, asks) {
    const arrived = run.arrivals[event.input].filter((i) => i <= k);
    const shown = arrived.length > 6 ? arrived.slice(-5) : arrived;
    const before = arrived.length - shown.length;
    const parts = shown.map((i) => /** @type {Backward} */ (run.events[i]));
    const start = before ? /** @type {Backward} */ (run.events[arrived[before - 1]]).total : 0;
    const numbers = aligned([...(before ? [start] : []), ...parts.map((p) => p.contribution), event.total]);
    const ends = [0, start, ...parts.map((p) => p.total)].filter(Number.isFinite);
    const low = Math.min(...ends);
    const high = Math.max(...ends, low + 1e-300);
    const at = (/** @type {number} */ x) => (Number.isFinite(x) ? 6 + (188 * (x - low)) / (high - low) : 100);
    const arrow = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ name) => {
      const [a, b] = [at(from), at(to)];
      const head = Math.min(6, Math.abs(b - a)) * Math.sign(b - a);
      const plain = name === "total";
      const d = plain
        ? `M${a},10 H${b} V20 H${a} z`
        : `M${a},10 H${b - head} V6 L${b},15 L${b - head},24 V20 H${a} z`;
      return `<svg class="bar ${name}" viewBox="0 0 200 30" preserveAspectRatio="none" aria-hidden="true"><path class="axis" d="M${at(0)},0 V30"/><path d="${d}"/></svg>`;
    };
    const rows = [];
    let from = start;
    if (before) rows.push(`<span class="lb">${fill(_("{n} earlier contributions"), { n: before })}</span><span class="v">${numbers[0]}</span>${arrow(0, start, "")}`);
    parts.forEach((part, n) => {
      const isNow = shown[n] === k;
      const label = isNow
        ? fill(_("from {n} · now"), { n: this.html(part.node) })
        : fill(_("from {n} · step {k}"), { n: this.html(part.node), k: shown[n] + 1 });
      const text = numbers[n + (before ? 1 : 0)];
      const sign = n + before > 0 && !text.startsWith("−") ? "+ " : "";
      const hidden = isNow && asks;
      rows.push(`<span class="lb ${isNow ? "now" : ""}">${label}</span><span class="v ${isNow ? "now" : ""}">${hidden ? "?" : sign + text}</span>${hidden ? "<span></span>" : arrow(from, part.total, isNow ? "now" : "")}`);
      from = part.total;
    });
    const total = asks ? "?" : numbers[numbers.length - 1];
    rows.push(`<span class="lb tot">${this.slopeHtml(run.graph.root, event.input)}</span><span class="v tot">= ${total}</span><span class="tot">${asks ? "" : arrow(0, event.total, "total")}</span>`);
    return `<div class="sum">${rows.join("")}</div>`;
  }

  /** The parameter of an update as MathML. @param {Update} event */
  parameter(event) {
    return event.outside === undefined ? this.math(event.node) : `<mi mathvariant="normal">${escapeHtml(event.outside)}</mi>`;
  }

  /**
   * What Adam and AdamW compute before the update: the weight made smaller, and the means corrected for their first steps.
   * @param {Update} event @returns {{rows: string[], symbols: Record<string, string>}} MathML
   */
  before(event) {
    const { kind, settings } = /** @type {NonNullable<Page["optimizer"]>} */ (this.page.optimizer);
    const { w, lr, m, v } = event.terms;
    /** @type {string[]} */ const rows = [];
    /** @type {Record<string, string>} */ const symbols = {};
    const name = (/** @type {string} */ text) => `<mi mathvariant="normal">${text}</mi>`;
    const factor = (/** @type {string} */ a, /** @type {string} */ b) => `${mo("·")}${mo("(")}${mn(1)}${mo("−")}${a}${mo("·")}${b}${mo(")")}`;
    if (settings.decay && w !== undefined && w !== event.old) {
      symbols.w = `<msup>${this.parameter(event)}${mo("′")}</msup>`;
      rows.push(`${symbols.w}${mo("=")}${this.parameter(event)}${factor(name("η"), name("λ"))}${mo("=")}${mn(event.old)}${factor(mn(lr), mn(settings.decay))}${mo("=")}${mn(w)}`);
    }
    if ((kind !== "Adam" && kind !== "AdamW") || !settings.betas) return { rows, symbols };
    for (const [n, letter, mean] of /** @type {[number, string, number][]} */ ([[0, "m", m], [1, "v", v]])) {
      const kept = number(settings.betas[n]);
      const rest = (/** @type {string} */ base, /** @type {string} */ power) => `<mrow>${mn(1)}${mo("−")}<msup>${base}${power}</msup></mrow>`;
      const beta = `<msub>${name("β")}${mn(n + 1)}</msub>`;
      symbols[letter] = name(`${letter}\u0302`);
      const divided = `<mfrac>${mn(mean * (1 - Math.pow(kept, this.time)))}${rest(mn(kept), mn(this.time))}</mfrac>`;
      rows.push(`${symbols[letter]}${mo("=")}<mfrac>${name(letter)}${rest(beta, name("t"))}</mfrac>${mo("=")}${divided}${mo("=")}${mn(mean)}`);
    }
    return { rows, symbols };
  }

  /** @param {Run} run @param {Update} event @param {boolean} asks */
  update(run, event, asks) {
    const { outside } = event;
    const optimizer = this.page.optimizer;
    const w = outside === undefined ? this.html(event.node) : escapeHtml(outside);
    const symbol = this.parameter(event);
    const slope = outside === undefined ? this.slope(run.graph.root, event.node) : derivative(this.math(run.graph.root), symbol);
    const result = asks
      ? `<p class="res ask">${fill(_("What is {n} after the update?"), { n: w })}</p>`
      : `<p class="res">${math(`${symbol}${mo("←")}${mn(event.result)}`)}</p>`;
    /** @type {Record<string, number>} */
    const numbers = { w: event.old, g: event.gradient, ...event.terms };
    let formula = "";
    if (optimizer) {
      const { rows, symbols: own } = this.before(event);
      const symbols = { ...optimizer.maths, w: symbol, g: slope, ...own };
      const above = asks ? [] : rows;
      formula = `${above.map((row) => `<div class="fx before-update">${math(row)}</div>`).join("")}<div class="fx">${overNumbers([], optimizer.columns, (slot) => symbols[/** @type {"w"} */ (slot)] || `<mi mathvariant="normal">${escapeHtml(String(slot))}</mi>`, (slot) => numbers[slot])}</div>`;
    }
    if (asks) return result + formula;
    const sentence = event.gradient > 0
      ? _("{w} moves against its gradient: the gradient is positive, so {w} becomes smaller.")
      : event.gradient < 0
        ? _("{w} moves against its gradient: the gradient is negative, so {w} becomes larger.")
        : _("The gradient of {w} is zero, so it alone moves nothing.");
    const moves = Math.sign(event.result - event.old) === -Math.sign(event.gradient);
    const say = moves ? fill(sentence, { w }) : event.result === event.old
      ? fill(_("{w} stays: this step is zero."), { w })
      : fill(_("{w} moves on with the memory of earlier steps, against the sign of its gradient."), { w });
    const where = outside === undefined ? [] : [fill(_("{w} is not part of this graph."), { w })];
    return `${result}${formula}<p class="say">${sentences([say, ...where])}</p>${warning(event.result)}`;
  }
}

/** A remark where a number is none. @param {number} x */
function warning(x) {
  if (Number.isNaN(x)) return `<p class="warn">⚠ ${fill(_("This is not a number: an operation had no defined result, and everything that uses it is nan too."))}</p>`;
  if (!Number.isFinite(x)) return `<p class="warn">⚠ ${fill(_("This is infinite: the result is larger than every float, or a slope without bound."))}</p>`;
  return "";
}
