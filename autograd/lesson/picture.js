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

class Picture {
  /** @param {SVGSVGElement} svg @param {Graph} graph */
  constructor(svg, graph) {
    this.svg = svg;
    this.graph = graph;
    /** The drawings of each node: several where a leaf is repeated, one of many nodes where a scope is closed. */
    this.nodes = graph.nodes.map(() => /** @type {SVGGraphicsElement[]} */ ([]));
    /** @type {Map<SVGGraphicsElement, number[]>} */ this.members = new Map();
    /** @type {SVGGraphicsElement[][]} */ this.wires = graph.edges.map(() => []);
    /** @type {SVGGraphicsElement[][]} */ this.pills = graph.edges.map(() => []);
    for (const element of /** @type {NodeListOf<SVGGraphicsElement>} */ (svg.querySelectorAll("g.node"))) {
      const members = (element.dataset.node || "").split(" ").filter(Boolean).map((id) => Number(id.slice(1)));
      this.members.set(element, members);
      for (const k of members) this.nodes[k].push(element);
    }
    const numbers = (/** @type {string | undefined} */ ids) => (ids || "").split(" ").filter(Boolean).map((id) => Number(id.slice(1)));
    for (const element of /** @type {NodeListOf<SVGGraphicsElement>} */ (svg.querySelectorAll("g.edge"))) {
      for (const e of numbers(element.dataset.edge || element.id)) this.wires[e].push(element);
    }
    for (const element of /** @type {NodeListOf<SVGGraphicsElement>} */ (svg.querySelectorAll("g.pill"))) {
      for (const e of numbers(element.dataset.edge)) this.pills[e].push(element);
    }
    /** The text that Python wrote, for the recorded numbers. @type {Map<Element, string>} */ this.written = new Map();
    for (const text of svg.querySelectorAll(".val, .gv, .pill text")) this.written.set(text, text.textContent || "");
    /** What was painted last, so that only what differs is touched. @type {Map<Element, string>} */ this.painted = new Map();
    this.over = svgElement("g", { class: "over", "aria-hidden": "true" }, svg);
    const box = svg.viewBox.baseVal;
    this.whole = { x: box.x, y: box.y, width: box.width, height: box.height };
    this.view = { ...this.whole };
    this.zoom = 0; // 0: as large as fits
    this.moving = 0;
    this.flying = 0;
  }

  /** @param {Element} element @param {string} classes */
  classes(element, classes) {
    if (this.painted.get(element) === classes) return;
    const first = element.getAttribute("data-class") || element.getAttribute("class") || "";
    if (!element.hasAttribute("data-class")) element.setAttribute("data-class", first);
    element.setAttribute("class", `${first} ${classes}`.trim());
    this.painted.set(element, classes);
  }

  /** @param {Element | null} element @param {string} text */
  text(element, text) {
    if (!element || this.painted.get(element) === text) return;
    element.textContent = text;
    this.painted.set(element, text);
    const room = Number(element.getAttribute("data-room") || 0);
    if (room) {
      element.removeAttribute("textLength");
      if (/** @type {SVGTextElement} */ (element).getComputedTextLength() > room) {
        element.setAttribute("textLength", String(room));
        element.setAttribute("lengthAdjust", "spacingAndGlyphs");
      }
    }
  }

  /** A number as Python wrote it if it is the recorded one. @param {Element | null} element @param {number} x @param {number | undefined} recorded @param {string} [sign] */
  number(element, x, recorded, sign = "") {
    if (!element) return;
    const same = recorded !== undefined && (x === recorded || (Number.isNaN(x) && Number.isNaN(recorded)));
    const text = same ? this.written.get(element) : undefined;
    this.text(element, text || sign + show(x, 4));
  }

  /**
   * Show everything as it is after the first `look.done` events of a run.
   * @param {Run} run @param {Run} recorded the run that Python drew @param {Look} look
   */
  paint(run, recorded, look) {
    const { graph } = this;
    const event = look.done > 0 && !look.still ? run.events[look.done - 1] : null;
    const receiver = event === null ? -1 : event.kind === "b" ? event.input : event.node;
    const source = event !== null && event.kind === "b" ? event.node : -1;
    const kind = event === null ? "" : event.kind;
    /** @type {Map<Element, Set<string>>} */ const found = new Map();
    const add = (/** @type {Element} */ element, /** @type {string} */ name) => {
      const names = found.get(element);
      if (names) names.add(name);
      else found.set(element, new Set([name]));
    };
    graph.nodes.forEach((_node, k) => {
      const visited = run.isVisited(k, look.done);
      const gradient = run.gradientAt(k, look.done);
      const moved = run.updatedAt(k, look.done);
      const changed = look.base !== null && run.values[k] !== look.base.values[k];
      for (const element of this.nodes[k]) {
        if (!found.has(element)) found.set(element, new Set());
        if (visited) add(element, "visited");
        if (gradient !== null) add(element, "has-grad");
        if (moved !== null) add(element, "moved");
        if (k === receiver) add(element, kind === "b" ? "current bwd" : kind === "u" ? "current upd" : "current fwd");
        if (k === source) add(element, "source");
        if (look.edited.has(k)) add(element, "edited");
        if (changed) add(element, "changed");
        if (changed && look.base !== null && gradient !== null && run.gradients[k] !== look.base.gradients[k]) add(element, "changed-grad");
        if (look.ends.includes(k)) add(element, "ends");
        if (look.on !== null && look.on.has(k)) add(element, "on-path");
        if ((this.members.get(element) || []).length !== 1) continue;
        const value = element.querySelector(".val");
        if (k === look.hidden && kind !== "b") this.text(value, "?");
        else if (moved !== null) this.number(value, moved, undefined);
        else if (visited) this.number(value, run.values[k], recorded.values[k]);
        else this.text(value, "");
        const strip = element.querySelector(".gv");
        if (k === look.hidden && kind === "b") this.text(strip, "?");
        else if (gradient === null) this.text(strip, "");
        else this.number(strip, gradient, recorded.hasBackward ? recorded.gradients[k] : undefined);
        const label = spoken(run, k, look.done, k === look.hidden);
        if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
      }
    });
    for (const [element, names] of found) {
      if (look.on !== null && !names.has("on-path")) names.add("off");
      this.classes(element, [...names].join(" "));
    }
    graph.edges.forEach((edge, e) => {
      const names = [];
      const event_ = run.passed[e];
      if (run.isVisited(edge.to, look.done)) names.push("on");
      if (kind === "f" && edge.to === receiver) names.push("lit");
      if (event_ >= 0 && event_ < look.done) names.push("used");
      if (event_ >= 0 && !look.still && event_ === look.done - 1) names.push("pulse");
      const paths = look.paths.get(e);
      if (paths) names.push(paths.length > 1 ? "both" : paths[0] < 2 ? `path${paths[0] + 1}` : "path-more");
      else if (look.on !== null) names.push("off");
      for (const element of this.wires[e]) for (const name of names.length ? names : [""]) add(element, name);
      for (const element of this.pills[e]) {
        for (const name of names.length ? names : [""]) add(element, name);
        const text = element.querySelector("text");
        if (text && (element.dataset.edge || "").split(" ").length === 1) this.number(text, run.partials[e], recorded.partials[e], "×");
      }
    });
    for (const list of [this.wires, this.pills]) {
      for (const elements of list) {
        for (const element of elements) {
          const names = found.get(element) || new Set();
          if (names.size > 1 && names.has("off") && (names.has("path1") || names.has("path2") || names.has("both"))) names.delete("off");
          this.classes(element, [...names].filter(Boolean).join(" "));
        }
      }
    }
    this.overlay(run, look, kind, receiver);
  }

  /** Badge of the current node and the contributions beside it. @param {Run} run @param {Look} look @param {string} kind @param {number} receiver */
  overlay(run, look, kind, receiver) {
    this.over.replaceChildren();
    if (receiver < 0 || !this.nodes[receiver].length || look.on !== null) {
      if (look.on !== null) this.pathBadges(look);
      return;
    }
    const colour = { f: "fwd", b: "bwd", u: "upd" }[/** @type {"f" | "b" | "u"} */ (kind)];
    for (const element of this.nodes[receiver]) {
      const face = /** @type {SVGGraphicsElement | null} */ (element.querySelector(".halo") || element.querySelector(".face"));
      if (!face) continue;
      const box = face.getBBox();
      const badge = svgElement("g", { class: `badge ${colour}`, transform: `translate(${box.x + box.width - 2},${box.y + 2})` }, this.over);
      svgElement("circle", { r: 10 }, badge);
      svgElement("path", { d: GLYPHS[/** @type {"f" | "b" | "u"} */ (kind)], transform: "scale(.8)" }, badge);
    }
    if (kind !== "b") return;
    const arrived = run.arrivals[receiver].filter((k) => k < look.done);
    /** @type {{x: number, y: number, k: number}[]} */ const places = [];
    for (const k of arrived) {
      const event = /** @type {Backward} */ (run.events[k]);
      const wire = (this.wires[event.edge][0] || document.createElement("i")).querySelector(".wire");
      if (!(wire instanceof SVGPathElement)) continue;
      const start = wire.getPointAtLength(0);
      const node = this.nodes[receiver].map((g) => /** @type {SVGGraphicsElement} */ (g.querySelector(".face") || g).getBBox());
      const at = node.find((b) => start.x >= b.x - 8 && start.x <= b.x + b.width + 8 && start.y >= b.y - 8 && start.y <= b.y + b.height + 8) || node[0];
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
      const width = /** @type {SVGTextContentElement} */ (/** @type {unknown} */ (text)).getComputedTextLength() + 12;
      const rect = svgElement("rect", { x: 0, y: -8.5, width, height: 17, rx: 4 }, tag);
      tag.prepend(rect);
    }
  }

  /** A numbered badge on the edges where two paths differ. @param {Look} look */
  pathBadges(look) {
    for (const n of [0, 1]) {
      const own = [...look.paths].filter(([, paths]) => paths.length === 1 && paths[0] === n).map(([e]) => e);
      const wire = own.map((e) => (this.wires[e][0] || document.createElement("i")).querySelector(".wire"))
        .find((w) => w instanceof SVGPathElement && w.getTotalLength() > 50);
      if (!(wire instanceof SVGPathElement)) continue;
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
    const pane = /** @type {HTMLElement} */ (this.svg.parentElement).getBoundingClientRect();
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
    const element = node === null ? null : this.nodes[node][0];
    if (element) {
      const box = /** @type {SVGGraphicsElement} */ (element.querySelector(".halo") || element).getBBox();
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

  /** @param {{x: number, y: number, width: number, height: number}} to */
  look(to) {
    const from = { ...this.view };
    this.view = to;
    cancelAnimationFrame(this.moving);
    const set = (/** @type {{x: number, y: number, width: number, height: number}} */ v) =>
      this.svg.setAttribute("viewBox", `${v.x} ${v.y} ${v.width} ${v.height}`);
    if (calm() || (from.x === to.x && from.y === to.y) || from.width !== to.width) {
      set(to);
      return;
    }
    const start = performance.now();
    const frame = (/** @type {number} */ now) => {
      const part = Math.min(1, (now - start) / 150);
      const eased = 1 - (1 - part) * (1 - part);
      set({ ...to, x: from.x + (to.x - from.x) * eased, y: from.y + (to.y - from.y) * eased });
      if (part < 1) this.moving = requestAnimationFrame(frame);
    };
    this.moving = requestAnimationFrame(frame);
  }

  /** Whether the pane has that many free pixels below the picture. @param {number} pixels */
  leavesRoom(pixels) {
    const pane = /** @type {HTMLElement} */ (this.svg.parentElement);
    const scale = pane.clientWidth / this.view.width;
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
    const wires = edges.map((e) => (this.wires[e][0] || document.createElement("i")).querySelector(".wire"));
    const paths = /** @type {SVGPathElement[]} */ (wires.filter((w) => w instanceof SVGPathElement));
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
