// Trial: computes the whole step again in the page when a person changes a leaf, and makes further training steps.
"use strict";

class Trial {
  /** @param {Graph} graph @param {Run} recorded @param {Page} page */
  constructor(graph, recorded, page) {
    this.graph = graph;
    this.recorded = recorded;
    this.page = page;
    /** Values of leaves that differ from the record. @type {Map<number, number>} */ this.leaves = new Map();
    /** The optimiser's memory of each parameter. @type {Map<number, any>} */ this.memory = new Map();
    this.steps = 0;
    this.run = recorded;
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
    if (this.recorded.updated.some((e) => e >= 0)) {
      events.push(...this.updates(result));
    }
    this.leaves = leaves;
    this.run = new Run(this.graph, result.values, result.partials, events);
    return null;
  }

  /** The updates that follow from a run's gradients. @param {{gradients: number[], values: number[]}} result @returns {LogEvent[]} */
  updates(result) {
    return this.page.trained.map((node) => {
      const old = result.values[node];
      const gradient = result.gradients[node];
      const { value, terms } = optimizerStep(this.page.optimizer, old, gradient, this.memory.get(node) || {}, this.steps + 1);
      return { kind: "u", node, old, gradient, result: value, terms };
    });
  }

  /** Take the update: the parameters get their new values, and everything is computed again. */
  step() {
    const next = new Map(this.leaves);
    const memory = new Map(this.memory);
    for (const node of this.page.trained) {
      const made = optimizerStep(this.page.optimizer, this.run.values[node], this.run.gradients[node], this.memory.get(node) || {}, this.steps + 1);
      next.set(node, made.value);
      memory.set(node, made.memory);
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
    this.memory = new Map();
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
    if (!(error instanceof DomainError)) throw error;
    return { node: error.node ?? graph.root, message: error.message };
  }
}

/**
 * One update of one parameter.
 * @param {Page["optimizer"]} optimizer @param {number} w @param {number} g @param {any} memory @param {number} step
 * @returns {{value: number, terms: Record<string, number>, memory: any}}
 */
function optimizerStep(optimizer, w, g, memory, step) {
  const lr = optimizer ? optimizer.lr : 0;
  return { value: w - lr * g, terms: { w, lr, g }, memory };
}
