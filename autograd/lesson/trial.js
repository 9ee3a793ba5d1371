// Trial: computes the whole step again in the page when a person changes a leaf, and makes further training steps.
"use strict";

/**
 * The optimiser's step of one parameter, which Python writes into the page; null where there is none.
 * @typedef {{step: (w: number, g: number, memory: Record<string, number>, lr: number, step: number) =>
 *   {value: number, memory: Record<string, number>, terms: Record<string, number>}} | null} UpdateRule
 */

class Trial {
  /** @param {Graph} graph @param {Run} recorded @param {Page} page @param {boolean} first whether it is the first training step of the log */
  constructor(graph, recorded, page, first) {
    this.graph = graph;
    this.recorded = recorded;
    this.page = page;
    /** Values of leaves that differ from the record. @type {Map<number, number>} */ this.leaves = new Map();
    /** What the optimiser remembers of each parameter. @type {Record<number, Record<string, number>>} */
    this.memory = page.memory;
    this.steps = 0;
    this.run = recorded;
    const remembers = Object.values(page.memory).some((one) => Object.keys(one).length > 0);
    /** Whether the optimiser's state is known here, so that steps can be made. */
    this.canStep = update !== null && page.trained.length > 0 && (first || !remembers) && page.trained.every((k) => !page.nodes[k].editable);
  }

  /** The optimiser's step of a parameter of a run. @param {{gradients: number[], values: number[]}} run @param {number} node */
  made(run, node) {
    const { optimizer } = this.page;
    if (!optimizer || !update) throw new Error("the optimiser's rule is not known");
    return update.step(run.values[node], run.gradients[node], this.memory[node] || {}, optimizer.lr, optimizer.made + this.steps + 1);
  }

  get isActive() {
    return this.run !== this.recorded;
  }

  /**
   * Give leaves other values and compute everything again.
   * @param {Map<number, number>} leaves @returns {{node: number, message: string} | null} what is not defined, if something is not
   */
  set(leaves) {
    const values = this.graph.leaves.map((k) => leaves.get(k) ?? this.recorded.values[k]);
    const result = recompute(this.graph, values, this.recorded.hasBackward);
    if ("message" in result) return result;
    const events = [...result.events];
    if (this.canStep) events.push(...this.updates(result));
    this.leaves = leaves;
    this.run = new Run(this.graph, result.values, result.partials, events);
    return null;
  }

  /**
   * How far a leaf can move towards a value before an operation has no result.
   * @param {number} leaf @param {number} from a value at which all have one @param {number} to
   */
  reach(leaf, from, to) {
    const has = (/** @type {number} */ x) => {
      const values = this.graph.leaves.map((k) => (k === leaf ? x : this.leaves.get(k) ?? this.recorded.values[k]));
      return !("message" in recompute(this.graph, values, false));
    };
    if (has(to)) return to;
    let [good, bad] = [from, to];
    for (let n = 0; n < 20; n++) {
      const middle = good / 2 + bad / 2;
      if (has(middle)) good = middle;
      else bad = middle;
    }
    return good;
  }

  /** The updates that follow from a run's gradients. @param {{gradients: number[], values: number[]}} result @returns {LogEvent[]} */
  updates(result) {
    return this.page.trained.map((node) => {
      const { value, terms } = this.made(result, node);
      return { kind: "u", node, old: result.values[node], gradient: result.gradients[node], result: value, terms };
    });
  }

  /** Take the update: the parameters get their new values, and everything is computed again. */
  step() {
    const next = new Map(this.leaves);
    /** @type {Record<number, Record<string, number>>} */ const memory = {};
    for (const node of this.page.trained) {
      const made = this.made(this.run, node);
      next.set(node, made.value);
      memory[node] = made.memory;
    }
    const before = { memory: this.memory, steps: this.steps };
    this.memory = memory;
    this.steps++;
    const refused = this.set(next);
    if (refused) Object.assign(this, before);
    return refused;
  }

  reset() {
    this.leaves = new Map();
    this.memory = this.page.memory;
    this.steps = 0;
    this.run = this.recorded;
  }
}

/**
 * The whole graph computed again in the page.
 * @param {Graph} graph @param {number[]} leaves values of the leaves, in their order @param {boolean} sweeps whether to go backward too
 * @returns {{values: number[], partials: number[], gradients: number[], events: LogEvent[]} | {node: number, message: string}}
 */
function recompute(graph, leaves, sweeps) {
  /** @type {Record<number, number>} */
  const given = {};
  graph.leaves.forEach((k, n) => (given[k] = leaves[n]));
  try {
    const state = autograd.forward(rules, /** @type {any} */ (graph.nodes), given);
    const back = sweeps ? autograd.backward(/** @type {any} */ (graph.nodes), state, graph.root) : { grads: [], events: [] };
    return {
      values: state.data, partials: state.partials.flat(), gradients: back.grads,
      events: readEvents(graph, [...state.events, ...back.events]),
    };
  } catch (error) {
    if (error instanceof DomainError) return { node: error.node ?? graph.root, message: error.message };
    const missing = error instanceof Error ? /^no JavaScript rule for (\w+)$/.exec(error.message) : null;
    if (!missing) throw error;
    return { node: graph.root, message: fillPlain(_("No JavaScript rule for {op}."), { op: missing[1] }) };
  }
}
