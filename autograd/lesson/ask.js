// Ask: what a node depends on, what depends on it, and the paths between two nodes with their products.
"use strict";

const MOST_PATHS = 12;

/**
 * The paths from one node to another: how many there are, and those with the largest products.
 * @param {Run} run @param {number} from @param {number} to
 * @returns {{count: number, sum: number, paths: {edges: number[], product: number}[]}}
 */
function pathsBetween(run, from, to) {
  const { graph } = run;
  // From `to` backward: number of paths to it, the largest product of sizes on the rest of the way, and the derivative.
  const counts = graph.nodes.map(() => 0);
  const best = graph.nodes.map(() => 0);
  const slope = graph.nodes.map(() => 0);
  counts[to] = 1;
  best[to] = 1;
  slope[to] = 1;
  for (let k = to; k >= 0; k--) {
    if (!counts[k]) continue;
    graph.into[k].forEach((e) => {
      const { from: x } = graph.edges[e];
      const partial = run.partials[e];
      counts[x] += counts[k];
      best[x] = Math.max(best[x], best[k] * Math.abs(partial) || 0);
      if (slope[k] !== 0 && partial !== 0) slope[x] += slope[k] * partial;
    });
  }
  // Best first: a partial path is extended where its largest possible product is largest.
  /** @type {{at: number, edges: number[], product: number, bound: number}[]} */
  const waiting = [{ at: from, edges: [], product: 1, bound: best[from] }];
  const paths = [];
  for (let tries = 0; waiting.length && paths.length < MOST_PATHS && tries < 20000; tries++) {
    let first = 0;
    for (let i = 1; i < waiting.length; i++) if (waiting[i].bound > waiting[first].bound) first = i;
    const [path] = waiting.splice(first, 1);
    if (path.at === to) {
      paths.push({ edges: path.edges, product: path.product });
      continue;
    }
    for (const e of graph.out[path.at]) {
      const next = graph.edges[e].to;
      if (next > to || !counts[next]) continue;
      const partial = run.partials[e];
      const product = autograd.carried(path.product, partial);
      waiting.push({ at: next, edges: [...path.edges, e], product, bound: Math.abs(product) * best[next] || 0 });
    }
    if (waiting.length > 4000) waiting.sort((a, b) => b.bound - a.bound).length = 2000;
  }
  return { count: counts[from], sum: slope[from], paths };
}

/** All nodes that a node depends on, or that depend on it. @param {Graph} graph @param {number} node @param {boolean} forward */
function reach(graph, node, forward) {
  const found = new Set([node]);
  const waiting = [node];
  for (let k = waiting.pop(); k !== undefined; k = waiting.pop()) {
    for (const e of forward ? graph.out[k] : graph.into[k]) {
      const next = forward ? graph.edges[e].to : graph.edges[e].from;
      if (!found.has(next)) {
        found.add(next);
        waiting.push(next);
      }
    }
  }
  return found;
}

class Ask {
  /** @param {Card} card @param {Page} page */
  constructor(card, page) {
    this.card = card;
    this.page = page;
    /** Whether the numbers shown are those that the recorded reasons and derivations speak of. */ this.isRecorded = true;
  }

  /** @param {Run} run */
  nothing(run) {
    const some = run.graph.leaves.slice(0, 12).map((k) => `<button type="button" class="sec" data-ask="${k},${run.graph.root}">${this.card.slopeHtml(run.graph.root, k)}</button>`);
    this.card.set("q", `${kicker("q", `<b>${fill(_("Ask"))}</b>`, [])}<p class="say">${fill(_("Click a node to see its value, its gradient and what it depends on. Click a second one to see every path between the two."))}</p><p class="choices">${some.join(" ")}</p>`);
  }

  /** One node. @param {Run} run @param {number} k @returns {Set<number>} the nodes to light */
  node(run, k) {
    const { graph } = run;
    const { root } = graph;
    const html = this.card.html(k);
    const before = reach(graph, k, false);
    const after = reach(graph, k, true);
    const g = run.gradients[k];
    const inputs = [...new Set(graph.nodes[k].inputs)];
    const users = graph.users(k);
    const names = (/** @type {number[]} */ list) => (list.length ? listed(list.slice(0, 8).map((x) => this.card.html(x))) + (list.length > 8 ? " …" : "") : "–");
    const leaves = [...before].filter((x) => graph.nodes[x].op === null && x !== k);
    const rows = [
      [_("value"), `${show(run.values[k])}`],
      ...(run.hasBackward ? [[_("gradient"), `${this.card.slopeHtml(root, k)} = ${show(g)}`]] : []),
      [_("depends on"), `${names(inputs)}${leaves.length ? ` <small>${fill(_("{n} leaves in all"), { n: leaves.length })}</small>` : ""}`],
      [_("is used by"), names(users)],
    ];
    const foretold = run.hasBackward && k !== root && Number.isFinite(g)
      ? `<p class="say">${fill(_("If {w} grows by 0.001, {E} changes by about {d}."), { w: html, E: this.card.html(root), d: show(g * 0.001, 4) })}</p>` : "";
    const button = k === root || !after.has(root) ? "" : `<p class="choices"><button type="button" class="sec" data-ask="${k},${root}">${fill(_("explain"))} ${this.card.slopeHtml(root, k)}</button></p>`;
    this.card.set(
      "q",
      `${kicker("q", `<b>${fill(_("Ask"))}</b> <span>${graph.nodes[k].op === null ? fill(_("a leaf")) : escapeHtml(graph.nodes[k].op || "")}</span>`, graph.nodes[k].scope)}
       <p class="res">${math(`${this.card.math(k)}${mo("=")}${mn(run.values[k])}`)}</p>
       ${graph.nodes[k].op === null ? "" : this.card.formula(run, k)}
       <dl class="facts">${rows.map(([a, b]) => `<dt>${escapeHtml(a)}</dt><dd>${b}</dd>`).join("")}</dl>${foretold}${button}`,
    );
    return new Set([...before, ...after]);
  }

  /**
   * The paths between two nodes.
   * @param {Run} run @param {number} from @param {number} to
   * @returns {{on: Set<number>, edges: Map<number, number[]>, lists: number[][]} | null} null if no path leads from one to the other
   */
  paths(run, from, to) {
    const { graph } = run;
    const found = pathsBetween(run, from, to);
    const a = this.card.html(from);
    const z = this.card.html(to);
    if (!found.count) {
      this.card.set("q", `${kicker("q", `<b>${fill(_("Ask"))}</b>`, [])}<p class="res">${this.card.slopeHtml(to, from)} = 0</p><p class="say">${fill(_("No path leads from {a} to {z}, so {z} does not depend on {a}."), { a, z })}</p>`);
      return null;
    }
    /** @type {Map<number, number[]>} */ const edges = new Map();
    /** @type {Set<number>} */ const on = new Set([from, to]);
    found.paths.forEach((path, n) => {
      for (const e of path.edges) {
        const list = edges.get(e);
        if (!list) edges.set(e, [n]);
        else if (!list.includes(n)) list.push(n);
        on.add(graph.edges[e].to);
        on.add(graph.edges[e].from);
      }
    });
    const shared = new Set(found.paths.length > 1 ? [...edges].filter(([, list]) => list.length === found.paths.length).map(([e]) => e) : []);
    const why = this.isRecorded && graph.root === to && this.page.nodes[from].reason ? this.page.nodes[from].reason[language] || "" : "";
    const few = found.count === 1 ? fill(_("1 path from {a} to {z}"), { a, z }) : fill(_("{n} paths from {a} to {z}"), { n: found.count < 1e15 ? found.count : show(found.count, 3), a, z });
    const rest = found.count - found.paths.length;
    const listedSum = found.paths.reduce((s, p) => s + p.product, 0);
    const total = found.count > 1 ? `<tr class="tot"><td colspan="2"><b>${fill(_("sum"))}</b></td><td class="pr">= ${show(found.sum)}</td></tr>` : "";
    this.card.set(
      "q",
      `${kicker("q", `<b>${fill(_("Ask"))}</b> <span>${few}</span>`, [])}
       <p class="res">${math(`${this.card.slope(to, from)}${mo("=")}${mn(found.sum)}`)}</p>
       ${why ? `<p class="warn">${escapeHtml(why)}</p>` : ""}
       <div class="scroll" tabindex="0" role="group" aria-label="${escapeHtml(few.replace(/<[^>]*>/g, ""))}"><table class="paths">${found.paths.map((path, n) => this.row(run, path, n, shared, from)).join("")}
       ${rest > 0 ? `<tr><td colspan="2">${fill(_("and {n} more: together {s}"), { n: rest, s: show(found.sum - listedSum) })}</td><td></td></tr>` : ""}${total}</table></div>
       ${this.remark(run, found, shared, from, to)}${this.derivation(graph, from, to)}`,
    );
    return { on, edges, lists: found.paths.map((path) => path.edges) };
  }

  /** What explain writes, for the recorded numbers: it stands on paper too. @param {Graph} graph @param {number} from @param {number} to */
  derivation(graph, from, to) {
    const lang = document.documentElement.lang;
    const written = document.querySelector(`#paper [lang="${lang}"] [data-derivation="n${from}"]`);
    if (!written || to !== graph.root || !this.isRecorded) return "";
    return `<details><summary>${fill(_("The derivation, as explain writes it"))}</summary><pre>${escapeHtml(written.textContent || "")}</pre></details>`;
  }

  /** @param {Run} run @param {{edges: number[], product: number}} path @param {number} n @param {Set<number>} shared @param {number} from */
  row(run, path, n, shared, from) {
    const { graph } = run;
    const long = path.edges.length > 9;
    const edges = long ? [...path.edges.slice(0, 4), -1, ...path.edges.slice(-4)] : path.edges;
    const via = path.edges.slice(0, -1).map((e) => graph.edges[e].to).find((k) => graph.nodes[k].name !== null && graph.out[from].length >= 1 && path.edges.length > 1 && !this.isShared(shared, graph, k));
    const factors = edges.map((e) => {
      if (e < 0) return `<span class="dots">…</span>`;
      const { from: x, to: y } = graph.edges[e];
      const partial = run.partials[e];
      const blame = partial === 0 || Number.isNaN(partial) ? " blame" : "";
      return `<span class="factor${shared.has(e) ? " shared" : ""}${blame}">${math(this.card.slope(y, x))}<span class="x">${partial < 0 ? `(${show(partial)})` : show(partial)}</span></span>`;
    });
    return `<tr class="p${Math.min(n, 2) + 1}"><td><span class="badge">${n + 1}</span> <small>${via === undefined ? "" : fill(_("via {n}"), { n: this.card.html(via) })}</small></td><td class="factors">${factors.join('<span class="times">·</span>')}</td><td class="pr">= ${show(path.product)}</td></tr>`;
  }

  /** @param {Set<number>} shared @param {Graph} graph @param {number} k */
  isShared(shared, graph, k) {
    return graph.into[k].some((e) => shared.has(e)) || graph.out[k].some((e) => shared.has(e));
  }

  /** @param {Run} run @param {{paths: {edges: number[], product: number}[]}} found @param {Set<number>} shared @param {number} from @param {number} to */
  remark(run, found, shared, from, to) {
    if (!shared.size || found.paths.length < 2 || to !== run.graph.root) return "";
    const { graph } = run;
    // The last node of the shared beginning: where the reverse sweep adds.
    let meet = from;
    for (const e of found.paths[0].edges) {
      if (!shared.has(e)) break;
      meet = graph.edges[e].to;
    }
    if (meet === from) return "";
    const head = found.paths[0].edges.slice(0, found.paths[0].edges.findIndex((e) => graph.edges[e].from === meet)).map((e) => show(run.partials[e]));
    return `<p class="say">${fill(_("The shaded factors are the same in all these paths. The reverse sweep uses this: it adds at {x} first and multiplies once:"), { x: this.card.html(meet) })} ${head.join(" · ")} · <b>${show(run.gradients[meet])}</b>.</p>`;
  }
}
