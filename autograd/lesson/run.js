// Run: one training step of the recorded computation, and what is known after each of its events.
"use strict";

/**
 * @typedef {{label: string, name: string | null, op: string | null, inputs: number[], constants?: any, operands?: any[],
 *   partials: any[], data: any, scope: string[], formula: string}} RecordNode
 * @typedef {{to: number, from: number, position: number}} Edge
 * @typedef {{kind: "f", node: number, result: number}} Forward
 * @typedef {{kind: "b", node: number, input: number, edge: number, adjoint: number, partial: number,
 *   contribution: number, total: number}} Backward
 * @typedef {{kind: "u", node: number, old: number, gradient: number, result: number, terms: Record<string, number>,
 *   outside?: string}} Update
 * @typedef {Forward | Backward | Update} LogEvent
 */

/** A number of the record; JSON has no nan and no infinities. @type {(x: any) => number} */
const number = autograd.number;

/** The graph: what stays the same from one training step to the next. */
class Graph {
  /** @param {{nodes: RecordNode[], root: number}} record */
  constructor(record) {
    this.nodes = record.nodes;
    this.root = record.root;
    /** @type {Edge[]} */ this.edges = [];
    /** Numbers of the edges into each node, by position. @type {number[][]} */ this.into = [];
    /** Numbers of the edges out of each node. @type {number[][]} */ this.out = record.nodes.map(() => []);
    record.nodes.forEach((node, to) => {
      this.into.push(
        node.inputs.map((from, position) => {
          this.out[from].push(this.edges.length);
          return this.edges.push({ to, from, position }) - 1;
        }),
      );
    });
    this.leaves = record.nodes.flatMap((node, k) => (node.op === null ? [k] : []));
  }

  /** The users of a node, each once. @param {number} k */
  users(k) {
    return [...new Set(this.out[k].map((e) => this.edges[e].to))];
  }
}

/** One training step: values, partials and the events in the order in which the engine did them. */
class Run {
  /**
   * @param {Graph} graph @param {number[]} values of all nodes @param {number[]} partials of all edges
   * @param {LogEvent[]} events
   */
  constructor(graph, values, partials, events) {
    this.graph = graph;
    this.values = values;
    this.partials = partials;
    this.events = events;
    /** The event that computes each node. @type {number[]} */ this.computed = graph.nodes.map(() => -1);
    /** The events that bring a contribution to each node. @type {number[][]} */ this.arrivals = graph.nodes.map(() => []);
    /** The event that passes each edge on the way back. @type {number[]} */ this.passed = graph.edges.map(() => -1);
    /** The event that updates each node. @type {number[]} */ this.updated = graph.nodes.map(() => -1);
    /** The first event of each sweep that there is. @type {{kind: string, first: number, count: number}[]} */ this.sweeps = [];
    events.forEach((event, k) => {
      if (event.kind === "f") this.computed[event.node] = k;
      else if (event.kind === "b") {
        this.arrivals[event.input].push(k);
        this.passed[event.edge] = k;
      } else if (event.node >= 0) this.updated[event.node] = k;
      const last = this.sweeps[this.sweeps.length - 1];
      if (last && last.kind === event.kind) last.count++;
      else this.sweeps.push({ kind: event.kind, first: k, count: 1 });
    });
    this.backwardFrom = events.findIndex((event) => event.kind === "b");
    /** The number of events until the backward sweep has ended: what nothing has reached by then has the gradient 0. */
    this.backwardTo = events.reduce((end, event, k) => (event.kind === "b" ? k + 1 : end), 0);
    /** The gradient of every node after the whole sweep. @type {number[]} */
    this.gradients = graph.nodes.map((_node, k) => {
      const last = this.arrivals[k][this.arrivals[k].length - 1];
      return last === undefined ? (k === graph.root ? 1 : 0) : /** @type {Backward} */ (events[last]).total;
    });
  }

  get hasBackward() {
    return this.backwardFrom >= 0 || this.events.length === 0;
  }

  /** Whether a node is computed after that many events. @param {number} k @param {number} done */
  isVisited(k, done) {
    return this.graph.nodes[k].op === null || (this.computed[k] >= 0 && this.computed[k] < done);
  }

  /** What has arrived at a node after that many events; null if nothing. @param {number} k @param {number} done */
  gradientAt(k, done) {
    if (k === this.graph.root) return this.backwardFrom >= 0 && done > this.backwardFrom ? this.gradients[k] : null;
    const events = this.arrivals[k];
    let low = 0;
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle] < done) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return this.backwardFrom >= 0 && done >= this.backwardTo ? 0 : null;
    return /** @type {Backward} */ (this.events[events[low - 1]]).total;
  }

  /** The value after the update, if that has happened. @param {number} k @param {number} done */
  updatedAt(k, done) {
    const event = this.updated[k];
    return event >= 0 && event < done ? /** @type {Update} */ (this.events[event]).result : null;
  }

  /** The scope of an event, outermost first. @param {number} k */
  scopeOf(k) {
    const node = this.receiver(k);
    return node === null ? [] : this.graph.nodes[node].scope;
  }

  /** The node whose number an event gives; null for a parameter that is not part of the graph. @param {number} k */
  receiver(k) {
    const event = this.events[k];
    const node = event.kind === "b" ? event.input : event.node;
    return node < 0 ? null : node;
  }

  /** Its label. @param {number} k */
  label(k) {
    const event = this.events[k];
    const node = this.receiver(k);
    return node !== null ? this.graph.nodes[node].label : (event.kind === "u" && event.outside) || "";
  }
}

/**
 * The events of the record as objects.
 * @param {Graph} graph @param {any[][]} events @returns {LogEvent[]}
 */
function readEvents(graph, events) {
  return events.map((event) => {
    const [kind, node, ...rest] = event;
    if (kind === "f") return { kind, node, result: number(rest[0]) };
    if (kind === "b") {
      const [position, adjoint, partial, contribution, total] = rest;
      const input = graph.nodes[node].inputs[position];
      const edge = graph.into[node][position];
      return {
        kind, node, input, edge,
        adjoint: number(adjoint), partial: number(partial), contribution: number(contribution), total: number(total),
      };
    }
    const [old, gradient, result, , , terms] = rest;
    /** @type {Record<string, number>} */
    const numbers = {};
    for (const name of Object.keys(terms || {})) numbers[name] = number(terms[name]);
    const update = { kind, old: number(old), gradient: number(gradient), result: number(result), terms: numbers };
    return typeof node === "number" ? { ...update, node } : { ...update, node: -1, outside: node };
  });
}
