// Picture: fills the drawn graph in up to a step, lights what happens now, and keeps it in view.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.955; // of the drawn size: text in the graph is never smaller on the screen
const GLYPHS = { f: "M-3,-5 L6,0 L-3,5 z", b: "M3,-5 L-6,0 L3,5 z", u: "M0,-6 L6,0 L0,6 L-6,0 z" };

/**
 * How the graph looks now; `still` where no event is shown.
 * @typedef {{done: number, hidden: number | null, ends: number[], on: Set<number> | null, paths: Map<number, number[]>,
 *   edited: Set<number>, base: Run | null, still: boolean}} Look
 */

/** An SVG element. @param {string} name @param {Record<string, string | number>} attributes @param {Element} parent */
function svgElement(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const key of Object.keys(attributes)) element.setAttribute(key, String(attributes[key]));
  parent.append(element);
  return /** @type {SVGGraphicsElement} */ (element);
}

// What a node or an edge is now, one bit each, and the class that shows it.
const [VISITED, HAS_GRAD, MOVED, CURRENT, FWD, BWD, UPD, SOURCE, EDITED, CHANGED, CHANGED_GRAD, ENDS, ON_PATH, OFF, HIDDEN] = bits(15);
const [ON, LIT, USED, PULSE, PATH1, PATH2, BOTH, PATH_MORE] = bits(8);
const NODE_CLASSES = ["visited", "has-grad", "moved", "current", "fwd", "bwd", "upd", "source", "edited", "changed", "changed-grad", "ends", "on-path", "off", ""];
const EDGE_CLASSES = ["on", "lit", "used", "pulse", "path1", "path2", "both", "path-more", "", "", "", "", "", "off", ""];

/** The first powers of two. @param {number} n */
function bits(n) {
  return Array.from({ length: n }, (_x, k) => 1 << k);
}

/** One element of the picture: a node, an edge or a partial; or one that stands for many where a scope is closed. */
class Drawn {
  /** @param {SVGGraphicsElement} element @param {number[]} members numbers of nodes or edges */
  constructor(element, members) {
    this.element = element;
    this.members = members;
    this.isNode = element.classList.contains("node") || element.classList.contains("sheet");
    this.own = element.getAttribute("class") || "";
    const single = members.length === 1;
    /** @type {Record<string, Element | null>} */
    this.texts = {
      value: single ? element.querySelector(".val") : null, strip: single ? element.querySelector(".gv") : null,
      partial: single && element.classList.contains("pill") ? element.querySelector("text") : null,
    };
    /** The texts that Python wrote, for the recorded numbers. @type {Record<string, string>} */ this.written = {};
    for (const name of Object.keys(this.texts)) this.written[name] = this.texts[name]?.textContent || "";
    this.box = rectangle(element);
  }

  /** @param {number} state */
  look(state) {
    const names = this.isNode ? NODE_CLASSES : EDGE_CLASSES;
    this.element.setAttribute("class", [this.own, ...names.filter((name, k) => name && state & (1 << k))].join(" "));
  }

  /** The state of all members together; not `off` if one of them is not. @param {Int32Array} states */
  together(states) {
    const all = this.members.reduce((one, k) => one | states[k], 0);
    return this.members.every((k) => states[k] & OFF) ? all : all & ~OFF;
  }

  /** @param {string} name @param {string} text */
  write(name, text) {
    const element = this.texts[name];
    if (element && element.textContent !== text) element.textContent = text;
  }

  /** A number as Python wrote it if it is the recorded one. @param {string} name @param {number} x @param {number} recorded @param {string} [sign] */
  number(name, x, recorded, sign = "") {
    this.write(name, (Object.is(x, recorded) && this.written[name]) || sign + show(x, 4));
  }
}

/** Where a line begins; asking the browser for it would lay out the whole picture. @param {SVGPathElement} wire */
function beginning(wire) {
  const [x, y] = (wire.getAttribute("d") || "").match(/-?[\d.]+/g) || [];
  return { x: Number(x), y: Number(y) };
}

/** The nodes inside of scopes. @param {Graph} graph @param {string[][]} scopes */
function inScopes(graph, scopes) {
  const keys = new Set(scopes.map((scope) => JSON.stringify(scope)));
  const lengths = new Set(scopes.map((scope) => scope.length));
  return graph.nodes.flatMap((node, k) => ([...lengths].some((n) => keys.has(JSON.stringify(node.scope.slice(0, n)))) ? [k] : []));
}

/** The place of an element's frame. @param {SVGGraphicsElement} element */
function rectangle(element) {
  const frame = element.querySelector("rect.halo, rect.face");
  const at = (/** @type {string} */ name) => Number(frame ? frame.getAttribute(name) : 0);
  return { x: at("x"), y: at("y"), width: at("width"), height: at("height") };
}

class Picture {
  /** @param {SVGSVGElement} svg @param {Graph} graph */
  constructor(svg, graph) {
    this.svg = svg;
    this.graph = graph;
    /** @type {Drawn[]} */ this.drawn = [];
    /** The drawings of each node: several where a leaf is repeated, one of many nodes where a scope is closed. */
    this.nodes = graph.nodes.map(() => /** @type {Drawn[]} */ ([]));
    /** The drawings of each edge: its line, and its partial. */
    this.edges = graph.edges.map(() => /** @type {Drawn[]} */ ([]));
    /** @type {(SVGPathElement | null)[]} */ this.wires = graph.edges.map(() => null);
    const words = (/** @type {string | undefined} */ ids) => (ids || "").split(" ").filter(Boolean);
    const numbers = (/** @type {string | undefined} */ ids) => words(ids).map((id) => Number(id.slice(1)));
    /** The nodes inside of each box that stands for several. @type {Map<string, number[]>} */ const inside = new Map();
    for (const element of /** @type {NodeListOf<SVGGraphicsElement>} */ (svg.querySelectorAll("g.node, g.sheet"))) {
      const drawn = new Drawn(element, element.dataset.scopes ? inScopes(graph, JSON.parse(element.dataset.scopes)) : numbers(element.dataset.node));
      this.drawn.push(drawn);
      if (element.dataset.scopes) inside.set(element.id, drawn.members);
      for (const k of drawn.members) this.nodes[k].push(drawn);
    }
    const lines = /** @type {NodeListOf<SVGGElement>} */ (svg.querySelectorAll("g.edge"));
    for (const { dataset } of lines) {
      const members = inside.get(dataset.from || "");
      if (!members || members.length || !/^n/.test(dataset.to || "")) continue;
      const left = graph.nodes[numbers(dataset.to)[0]].inputs.filter((k) => !this.nodes[k].length); // leaves of no scope, as one box
      members.push(...new Set(left));
      const box = this.drawn.find((drawn) => drawn.members === members);
      for (const k of members) if (box) this.nodes[k].push(box);
    }
    /** The edges behind each line: one, or all between two boxes. @type {Map<string, number[]>} */
    const behind = new Map();
    for (const { id, dataset } of lines) {
      const [from, to] = [dataset.from || "", dataset.to || ""].map((end) => inside.get(end) || numbers(end));
      const sources = new Set(from);
      behind.set(id, id[0] === "e" ? numbers(id) : to.flatMap((k) => graph.into[k].filter((e) => sources.has(graph.edges[e].from))));
    }
    for (const element of /** @type {NodeListOf<SVGGraphicsElement>} */ (svg.querySelectorAll("g.edge, g.pill"))) {
      const drawn = new Drawn(element, words(element.dataset.edge || element.id).flatMap((id) => behind.get(id) || []));
      const wire = element.querySelector(".wire");
      for (const e of drawn.members) {
        this.edges[e].push(drawn);
        if (wire instanceof SVGPathElement) this.wires[e] = wire;
      }
    }
    svg.append(...svg.querySelectorAll("g.pill")); // above the rings of nodes
    this.drawnBy = new Map([...this.drawn, ...this.edges.flat()].map((drawn) => [/** @type {Element} */ (drawn.element), drawn]));
    /** What was painted last: after how many events, and which node's number is asked for. */
    this.done = 0;
    /** @type {number | null} */ this.hidden = null;
    this.over = svgElement("g", { class: "over", "aria-hidden": "true" }, svg);
    const box = svg.viewBox.baseVal;
    this.whole = { x: box.x, y: box.y, width: box.width, height: box.height };
    this.view = { ...this.whole };
    this.zoom = 0; // 0: as large as fits
    this.scale = 0;
    this.flying = 0;
    this.pane = { width: 0, height: 0 };
    this.last = this.forgotten();
    this.speak();
  }

  /** Put the words that Python wrote into the picture into the language in force. */
  speak() {
    for (const label of this.svg.querySelectorAll("text.gl")) {
      if ((label.textContent || "").includes(" ")) label.textContent = `◂ ${_("grad")}`;
    }
    for (const box of /** @type {NodeListOf<SVGGElement>} */ (this.svg.querySelectorAll("g[data-scope]"))) {
      const name = JSON.parse(box.dataset.scope || "[]").at(-1);
      const title = box.querySelector(":scope > text");
      if (title && /^(hidden layer( \d+)?|output layer)$/.test(name)) title.textContent = scopeName(name);
    }
  }

  /** Paint everything the next time, not only what differs from the last time. */
  forget() {
    this.last = this.forgotten();
  }

  /** Light the paths one by one, edge by edge. @param {number[][]} paths */
  trace(paths) {
    if (calm()) return;
    let delay = 0;
    for (const path of paths.slice(0, 3)) {
      const pause = Math.min(250, 2500 / path.length);
      for (const e of path) {
        for (const drawn of this.edges[e]) drawn.element.animate([{ opacity: 0.15 }, { opacity: 1 }], { duration: pause, delay, fill: "backwards" });
        delay += pause;
      }
    }
  }

  /** What was painted last: the state of each node, its value and gradient; the state of each edge, and its partial. */
  forgotten() {
    const [nodes, edges] = [this.graph.nodes.length, this.graph.edges.length];
    return {
      nodes: new Int32Array(nodes).fill(-1), values: new Float64Array(nodes), gradients: new Float64Array(nodes),
      edges: new Int32Array(edges).fill(-1), partials: new Float64Array(edges),
    };
  }

  /** The size of the pane on the screen. */
  measure() {
    const { clientWidth: width, clientHeight: height } = /** @type {HTMLElement} */ (this.svg.closest(".pane"));
    this.pane = { width, height };
  }

  /**
   * Show everything as it is after the first `look.done` events of a run. Only what differs from the last time is
   * touched, so that a step takes no longer in a large graph.
   * @param {Run} run @param {Run} recorded the run that Python drew @param {Look} look
   */
  paint(run, recorded, look) {
    const { graph, last } = this;
    this.done = look.done;
    this.hidden = look.hidden;
    const event = look.done > 0 && !look.still ? run.events[look.done - 1] : null;
    const receiver = event === null ? -1 : event.kind === "b" ? event.input : event.node;
    const source = event !== null && event.kind === "b" ? event.node : -1;
    const kind = event === null ? "" : event.kind;
    const current = kind === "b" ? BWD : kind === "u" ? UPD : FWD;
    /** @type {Set<Drawn>} */ const closed = new Set();
    for (let k = 0; k < graph.nodes.length; k++) {
      const gradient = run.gradientAt(k, look.done);
      const moved = run.updatedAt(k, look.done);
      const changed = look.base !== null && run.values[k] !== look.base.values[k];
      let state = run.isVisited(k, look.done) ? VISITED : 0;
      if (gradient !== null) state |= HAS_GRAD;
      if (moved !== null) state |= MOVED;
      if (k === receiver) state |= CURRENT | current;
      if (k === source) state |= SOURCE;
      if (look.edited.has(k)) state |= EDITED;
      if (changed) state |= CHANGED;
      if (look.base !== null && gradient !== null && run.gradients[k] !== look.base.gradients[k]) state |= CHANGED_GRAD;
      if (look.ends.includes(k)) state |= ENDS;
      if (look.on !== null) state |= look.on.has(k) ? ON_PATH : OFF;
      if (k === look.hidden) state |= HIDDEN;
      const value = moved ?? run.values[k];
      const grad = gradient ?? 0;
      if (state === last.nodes[k] && Object.is(value, last.values[k]) && Object.is(grad, last.gradients[k])) continue;
      last.nodes[k] = state;
      last.values[k] = value;
      last.gradients[k] = grad;
      for (const drawn of this.nodes[k]) {
        if (drawn.members.length > 1) {
          closed.add(drawn);
          continue;
        }
        drawn.look(state);
        if (state & HIDDEN && kind !== "b") drawn.write("value", "?");
        else if (state & MOVED) drawn.write("value", show(value, 4));
        else if (state & VISITED) drawn.number("value", value, recorded.values[k]);
        else drawn.write("value", "");
        if (state & HIDDEN && kind === "b") drawn.write("strip", "?");
        else if (state & HAS_GRAD) drawn.number("strip", grad, recorded.gradients[k]);
        else drawn.write("strip", "");
        drawn.element.setAttribute("aria-label", spoken(run, k, look.done, k === look.hidden));
      }
    }
    for (let e = 0; e < graph.edges.length; e++) {
      const { to } = graph.edges[e];
      const passed = run.passed[e];
      let state = run.isVisited(to, look.done) ? ON : 0;
      if (kind === "f" && to === receiver) state |= LIT;
      if (passed >= 0 && passed < look.done) state |= USED;
      if (!look.still && passed >= 0 && passed === look.done - 1) state |= PULSE;
      const paths = look.paths.get(e);
      if (paths) state |= paths.length > 1 ? BOTH : paths[0] === 0 ? PATH1 : paths[0] === 1 ? PATH2 : PATH_MORE;
      else if (look.on !== null && (look.paths.size || !look.on.has(to) || !look.on.has(graph.edges[e].from))) state |= OFF;
      const partial = run.partials[e];
      if (state === last.edges[e] && Object.is(partial, last.partials[e])) continue;
      last.edges[e] = state;
      last.partials[e] = partial;
      for (const drawn of this.edges[e]) {
        if (drawn.members.length > 1) closed.add(drawn);
        else {
          drawn.look(state);
          drawn.number("partial", partial, recorded.partials[e], "×");
        }
      }
    }
    for (const drawn of closed) drawn.look(drawn.together(drawn.isNode ? last.nodes : last.edges));
    this.overlay(run, look, kind, receiver);
  }

  /**
   * Write the tooltip of a node or an edge: what is known of it now, with all digits.
   * @param {Element} target @param {Run} run
   */
  tip(target, run) {
    const element = target.closest("g.node, g.edge");
    const drawn = this.drawnBy.get(/** @type {Element} */ (element));
    const title = element && element.querySelector("title");
    if (!drawn || !title || drawn.members.length !== 1) return;
    const [k] = drawn.members;
    const { nodes, edges } = this.graph;
    if (!drawn.isNode) {
      const known = run.isVisited(edges[k].to, this.done);
      title.textContent = (title.textContent || "").replace(/ = \S*$/, "") + (known ? ` = ${autograd.written(run.partials[k])}` : "");
      return;
    }
    const { label, formula } = nodes[k];
    const parts = formula && formula !== label ? [label, formula] : [label];
    const isHidden = this.hidden === k;
    if (run.isVisited(k, this.done) && !isHidden) parts.push(autograd.written(run.updatedAt(k, this.done) ?? run.values[k]));
    const gradient = run.gradientAt(k, this.done);
    title.textContent = parts.join(" = ") + (gradient === null || isHidden ? "" : `\n${_("gradient")} ${autograd.written(gradient)}`);
  }

  /** Badge of the current node and the contributions beside it. @param {Run} run @param {Look} look @param {string} kind @param {number} receiver */
  overlay(run, look, kind, receiver) {
    this.over.replaceChildren();
    if (receiver < 0 || !this.nodes[receiver].length || look.on !== null) {
      if (look.on !== null) this.pathBadges(look);
      return;
    }
    const colour = { f: "fwd", b: "bwd", u: "upd" }[/** @type {"f" | "b" | "u"} */ (kind)];
    const single = this.nodes[receiver].filter((drawn) => drawn.members.length === 1);
    for (const { box } of single.length ? single : this.nodes[receiver]) {
      const badge = svgElement("g", { class: `badge ${colour}`, transform: `translate(${box.x + box.width - 2},${box.y + 2})` }, this.over);
      svgElement("circle", { r: 10 }, badge);
      svgElement("path", { d: GLYPHS[/** @type {"f" | "b" | "u"} */ (kind)], transform: "scale(.8)" }, badge);
    }
    if (kind !== "b") return;
    const arrived = run.arrivals[receiver].filter((k) => k < look.done);
    /** @type {{x: number, y: number, k: number}[]} */ const places = [];
    for (const k of arrived) {
      const event = /** @type {Backward} */ (run.events[k]);
      const wire = this.wires[event.edge];
      if (!wire) continue;
      const start = beginning(wire);
      const boxes = this.nodes[receiver].map((drawn) => drawn.box);
      const at = boxes.find((b) => start.x >= b.x - 8 && start.x <= b.x + b.width + 8 && start.y >= b.y - 8 && start.y <= b.y + b.height + 8) || boxes[0];
      const below = Math.abs(start.y - (at.y + at.height)) < 6 && start.x < at.x + at.width - 4;
      places.push({ x: below ? start.x + 66 : at.x + at.width + 5, y: below ? start.y + 8 : start.y, k });
    }
    places.sort((a, b) => a.y - b.y || a.k - b.k);
    let last = -Infinity;
    for (const place of places) {
      const y = Math.max(place.y, last + 18);
      last = y;
      const now = place.k === look.done - 1;
      const contribution = /** @type {Backward} */ (run.events[place.k]).contribution;
      const tag = svgElement("g", { class: now ? "tag now" : "tag", transform: `translate(${place.x},${y})` }, this.over);
      const text = svgElement("text", { x: 6, y: 4 }, tag);
      text.textContent = `◂ ${now && look.hidden !== null ? "?" : arrived.length > 1 ? signed(contribution, 4) : show(contribution, 4)}`;
      const width = 6.6 * text.textContent.length + 10; // measuring it would make the browser lay out the whole picture
      const rect = svgElement("rect", { x: 0, y: -8.5, width, height: 17, rx: 4 }, tag);
      tag.prepend(rect);
    }
  }

  /** A numbered badge on the edges where two paths differ. @param {Look} look */
  pathBadges(look) {
    for (const n of [0, 1]) {
      const own = [...look.paths].filter(([, paths]) => paths.length === 1 && paths[0] === n).map(([e]) => e);
      const wire = own.map((e) => this.wires[e]).find((w) => w && w.getTotalLength() > 50);
      if (!wire) continue;
      const middle = wire.getPointAtLength(wire.getTotalLength() / 2);
      const badge = svgElement("g", { class: `badge p${n + 1}`, transform: `translate(${middle.x},${middle.y})` }, this.over);
      if (n === 0) svgElement("circle", { r: 9 }, badge);
      else svgElement("rect", { x: -9, y: -9, width: 18, height: 18, rx: 4 }, badge);
      const text = svgElement("text", { y: 4, "text-anchor": "middle" }, badge);
      text.textContent = String(n + 1);
    }
  }

  /** The part of the picture that is shown: all of it if it is readable, else around a node. @param {number | null} node */
  show(node) {
    const { pane } = this;
    if (!pane.width || !pane.height) return;
    const fitting = Math.min(pane.width / this.whole.width, pane.height / this.whole.height);
    const scale = this.zoom || Math.max(Math.min(fitting, 1.6), Math.min(SMALLEST, 1));
    const width = pane.width / scale;
    const height = pane.height / scale;
    let { x, y } = this.view;
    if (this.view.width !== width || this.view.height !== height) {
      x += (this.view.width - width) / 2;
      y += (this.view.height - height) / 2;
    }
    const drawn = node === null ? null : this.nodes[node][0];
    if (drawn) {
      const { box } = drawn;
      const margin = Math.min(96, Math.max(8, (width - box.width) / 2));
      if (box.x - margin < x) x = box.x - margin;
      if (box.x + box.width + margin > x + width) x = box.x + box.width + margin - width;
      if (box.y - 24 < y) y = box.y - 24;
      if (box.y + box.height + 24 > y + height) y = box.y + box.height + 24 - height;
    }
    const inside = (/** @type {number} */ at, /** @type {number} */ size, /** @type {number} */ from, /** @type {number} */ all) =>
      size >= all ? from + (all - size) / 2 : Math.min(Math.max(at, from), from + all - size);
    this.look({
      x: inside(x, width, this.whole.x, this.whole.width),
      y: inside(y, height, this.whole.y, this.whole.height),
      width,
      height,
    });
  }

  /**
   * Show a part of the picture. The element is moved and not its viewBox, which would lay out every text again.
   * @param {{x: number, y: number, width: number, height: number}} to
   */
  look(to) {
    const { whole } = this;
    const scale = this.pane.width / to.width;
    this.view = to;
    if (this.scale !== scale) {
      this.scale = scale;
      this.svg.style.width = `${whole.width * scale}px`;
      this.svg.style.height = `${whole.height * scale}px`;
    }
    this.svg.style.transform = `translate(${Math.round((whole.x - to.x) * scale)}px, ${Math.round((whole.y - to.y) * scale)}px)`;
  }

  /** Whether the pane has that many free pixels below the picture. @param {number} pixels */
  leavesRoom(pixels) {
    const scale = this.pane.width / this.view.width;
    return (this.view.y + this.view.height - this.whole.y - this.whole.height) * scale >= pixels;
  }

  /** Whether all of it is in view. */
  get isWhole() {
    return this.view.width >= this.whole.width - 1 && this.view.height >= this.whole.height - 1;
  }

  /** Run a dot along the edges of an event, then call back. @param {Run} run @param {number} k @param {() => void} then */
  animate(run, k, then) {
    const event = run.events[k];
    const edges = event.kind === "f" ? this.graph.into[event.node] : event.kind === "b" ? [event.edge] : [];
    const paths = /** @type {SVGPathElement[]} */ (edges.map((e) => this.wires[e]).filter(Boolean));
    if (calm() || !paths.length) {
      then();
      return;
    }
    const dots = paths.map(() => svgElement("circle", { r: 5, class: event.kind === "b" ? "dot bwd" : "dot fwd" }, this.over));
    const lengths = paths.map((p) => p.getTotalLength());
    const start = performance.now();
    const frame = (/** @type {number} */ now) => {
      const part = Math.min(1, (now - start) / 300);
      paths.forEach((path, i) => {
        const at = path.getPointAtLength(lengths[i] * (event.kind === "b" ? 1 - part : part));
        dots[i].setAttribute("cx", String(at.x));
        dots[i].setAttribute("cy", String(at.y));
      });
      if (part < 1) this.flying = requestAnimationFrame(frame);
      else {
        dots.forEach((dot) => dot.remove());
        then();
      }
    };
    cancelAnimationFrame(this.flying);
    this.flying = requestAnimationFrame(frame);
  }

  stop() {
    cancelAnimationFrame(this.flying);
  }
}

/** Whether the person asked for little motion. */
function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A node in words, for a screen reader. @param {Run} run @param {number} k @param {number} done @param {boolean} hidden */
function spoken(run, k, done, hidden) {
  const name = run.graph.nodes[k].label;
  const gradient = run.gradientAt(k, done);
  const value = hidden ? "?" : run.isVisited(k, done) ? show(run.values[k]) : _("not yet computed");
  const rest = gradient === null ? _("gradient not yet computed") : `${_("gradient")} ${hidden ? "?" : show(gradient)}`;
  return fillPlain(_("{first}, {second}"), { first: fillPlain(_("{first}, {second}"), { first: name, second: value }), second: rest });
}
