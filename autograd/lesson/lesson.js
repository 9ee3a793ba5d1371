// Lesson: connects the parts of the page, and says what each button, key and link does.
"use strict";

/** An element of the page that is always there. @param {string} id @returns {any} */
function part(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element;
}

/**
 * @typedef {{record: any, page: Page, messages: Record<string, Record<string, string>>, language: string}} Data
 */

/** Keep a copy of the picture that the page begins with, as it is for the other levels. @param {HTMLElement} pane */
function keepFirst(pane) {
  const drawing = /** @type {HTMLElement | null} */ (pane.querySelector(".drawing"));
  if (!drawing) return;
  const template = document.createElement("template");
  Object.assign(template.dataset, drawing.dataset);
  template.content.append(...[...drawing.childNodes].map((node) => node.cloneNode(true)));
  pane.after(template);
}

class Lesson {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.page = data.page;
    this.graph = new Graph(data.record);
    this.update = 0;
    this.done = 0;
    this.mode = "watch";
    /** The nodes asked about. @type {number[]} */ this.asked = [];
    /** The step at which asking began. */ this.left = 0;
    /** The leaf being edited. @type {number | null} */ this.editing = null;
    this.speed = 1;
    this.playing = 0;
    this.spokenAt = 0;
    this.charKeys = true;
    keepFirst(part("pane"));
    const svg = /** @type {SVGSVGElement | null} */ (part("pane").querySelector("svg"));
    this.picture = svg ? new Picture(svg, this.graph) : null;
    part("pane").classList.toggle("empty", svg === null);
    /** How deep scopes can be open. */
    this.levels = [...document.querySelectorAll("template[data-level]")].map((t) => Number(/** @type {HTMLElement} */ (t).dataset.level)).sort((a, b) => a - b);
    this.card = new Card(part("card"), this.page);
    this.ask = new Ask(this.card, this.page);
    this.predict = new Predict(this.card, this.page);
    this.timeline = new Timeline(part("timeline"), (step) => this.go(step));
    this.leaves = new Leaves(part("leaves"), this.graph, this.page, {
      edit: (leaf) => this.edit(leaf),
      commit: (leaf, text) => this.commit(leaf, text),
      act: (what) => this.act(what),
    });
    /** The training steps that recorded the same graph as the first. @type {any[]} */
    this.updates = data.record.updates.filter((/** @type {any} */ one) => !one.graph);
    const values = data.record.nodes.map((/** @type {RecordNode} */ node) => number(node.data));
    const partials = data.record.nodes.flatMap((/** @type {RecordNode} */ node) => node.partials.map(number));
    this.first = new Run(this.graph, values, partials, readEvents(this.graph, this.updates[0].events));
    this.recorded = this.first;
    this.trial = new Trial(this.graph, this.recorded, this.page, true);
    this.curve = new Curve(part("updates"), this.updates, data.record.losses, (n) => {
      this.pause();
      this.load(n);
      this.go(this.done);
    });
    /** The nodes in the overview. @type {Map<Drawn, Element>} */ this.boxes = new Map();
    /** @type {Element | null} */ this.frame = null;
    this.training = 0;
    /** The paths that were lit last. */
    this.lit = "";
  }

  /** One of the recorded training steps. @param {number} n */
  load(n) {
    this.recorded = n === 0 ? this.first : this.again(this.updates[n], this.first.values, this.first.partials);
    this.update = n;
    this.trial = new Trial(this.graph, this.recorded, this.page, n === 0);
    this.leaves.curve = [];
  }

  /** A later training step: its events are recorded, its partials follow from them. @param {any} one @param {number[]} values @param {number[]} partials */
  again(one, values, partials) {
    const events = readEvents(this.graph, one.events);
    const own = [...values];
    const slopes = [...partials];
    for (const leaf of Object.keys(one.leaves)) own[Number(leaf)] = number(one.leaves[leaf]);
    // The partials of edges that the sweep did not pass are in no event: they follow from the leaves.
    const computed = recompute(this.graph, this.graph.leaves.map((leaf) => own[leaf]), false);
    if (!("message" in computed)) computed.partials.forEach((partial, e) => (slopes[e] = partial));
    for (const event of events) {
      if (event.kind === "f") own[event.node] = event.result;
      else if (event.kind === "b") slopes[event.edge] = event.partial;
    }
    return new Run(this.graph, own, slopes, events);
  }

  get run() {
    return this.trial.run;
  }

  /** Show a step. @param {number} step */
  go(step) {
    this.done = Math.min(Math.max(0, Math.round(step) || 0), this.run.events.length);
    this.asked = [];
    this.editing = null;
    if (this.mode === "ask") this.mode = "watch";
    this.paint();
    this.remember();
  }

  remember() {
    const hash = this.asked.length ? `#ask=${this.asked.map((k) => this.word(k)).join(",")}` : `#step=${this.done}`;
    const known = this.update ? `${hash}&update=${this.update + 1}` : hash;
    if (location.hash !== known) {
      try {
        history.replaceState(null, "", known);
      } catch (error) {
        if (!(error instanceof DOMException)) throw error; // a page in an iframe's srcdoc has no address of its own
      }
    }
  }

  /** A node in the address: its label, or its number where several have the same. @param {number} k */
  word(k) {
    const { label } = this.graph.nodes[k];
    const isOnly = this.graph.nodes.every((node, other) => other === k || node.label !== label);
    return isOnly && !label.includes(",") ? encodeURIComponent(label) : `n${k}`;
  }

  /** Follow the address: #step=17, #ask=w1,E or #ask=n3,n7. */
  follow() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const update = Number(wanted.get("update") || 1) - 1;
    if (Number.isInteger(update) && update !== this.update && this.updates[update]) this.load(update);
    const names = (wanted.get("ask") || "").split(",").filter(Boolean);
    const numbered = (/** @type {string} */ name) => (/^n\d+$/.test(name) && this.graph.nodes[Number(name.slice(1))] ? Number(name.slice(1)) : -1);
    const found = names.map((name) => [this.graph.nodes.findIndex((node) => node.label === name), numbered(name)]);
    const nodes = found.map(([named, other]) => (named >= 0 ? named : other)).filter((k) => k >= 0);
    if (nodes.length) {
      this.enter();
      this.asked = nodes.slice(0, 2);
      this.paint();
      return;
    }
    const step = wanted.get("step");
    this.go(step === null ? this.done : Number(step));
  }

  afterBackward() {
    const sweep = this.run.sweeps.filter((s) => s.kind === "b").pop();
    return sweep ? sweep.first + sweep.count : this.run.events.length;
  }

  paint() {
    const { run, recorded } = this;
    const root = document.documentElement;
    root.dataset.step = String(this.done);
    root.dataset.steps = String(run.events.length);
    root.dataset.mode = this.mode;
    const k = this.done - 1;
    const event = k >= 0 ? run.events[k] : null;
    this.ask.isRecorded = run === this.first;
    this.card.time = (this.page.optimizer?.made || 0) + (this.updates[this.update].number || this.update + 1) + this.trial.steps;
    const hides = this.mode === "predict" && event !== null && this.predict.isOpen(run.events[k]);
    const receiver = event === null ? null : run.receiver(k);
    /** @type {Look} */
    const look = {
      done: this.done, hidden: hides ? receiver : null, ends: [], on: null, paths: new Map(),
      edited: new Set(this.editing === null ? [] : [this.editing]), base: this.trial.isActive ? recorded : null, still: this.mode === "ask" || this.editing !== null,
    };
    let said = "";
    /** The edges of each path that is asked for. @type {number[][]} */ let fresh = [];
    if (this.mode === "ask") {
      if (this.asked.length === 2) {
        const [a, b] = this.asked[0] < this.asked[1] ? this.asked : [this.asked[1], this.asked[0]];
        look.ends = [a, b];
        const found = this.ask.paths(run, a, b);
        if (found) {
          look.on = found.on;
          look.paths = found.edges;
          fresh = found.lists;
        }
      } else if (this.asked.length) {
        look.ends = this.asked;
        look.on = this.ask.node(run, this.asked[0]);
      } else this.ask.nothing(run);
      said = (part("card").querySelector(".res, .say") || {}).textContent || "";
    } else if (this.editing !== null) {
      this.tryCard(this.editing);
      if (this.trial.isActive) said = `${this.graph.nodes[this.graph.root].label} = ${show(run.values[this.graph.root])}`;
    } else if (event === null) {
      this.card.start(run);
    } else if (this.mode === "predict") {
      this.predict.show(run, k);
      said = hides ? (part("card").querySelector(".res") || {}).textContent || "" : "";
    } else said = this.card.event(run, k);
    if (this.picture) {
      this.picture.paint(run, recorded, look);
      if (this.lit !== this.asked.join()) this.picture.trace(fresh);
      this.lit = fresh.length ? this.asked.join() : "";
      this.picture.show(this.asked.length ? this.asked[0] : this.editing ?? receiver ?? this.graph.root);
    }
    this.timeline.paint(run, this.done);
    this.curve.paint(this.update);
    const lit = new Set(event === null ? [] : event.kind === "f" ? this.graph.nodes[event.node].inputs : [/** @type {number} */ (receiver)]);
    this.leaves.paint(run, this.done, {
      lit: this.mode === "ask" ? new Set(this.asked) : this.editing !== null ? new Set([this.editing]) : lit,
      kind: this.mode === "ask" || this.editing !== null || event === null ? "q" : event.kind,
      hidden: hides ? receiver : null, active: this.trial.isActive, steps: this.trial.steps, canStep: this.trial.canStep,
    });
    part("step").value = String(this.done);
    part("step-count").textContent = `/ ${run.events.length}`;
    const nodes = event === null || this.mode === "ask" ? this.asked.map((a) => this.page.nodes[a].html) : [...run.scopeOf(k).map(scopeName).map(escapeHtml), receiver === null ? escapeHtml(run.label(k)) : this.page.nodes[receiver].html];
    part("crumb").innerHTML = nodes.join(" › ");
    this.overview(receiver);
    part("legend").hidden = this.picture === null || !this.picture.leavesRoom(28);
    part("graph-tools").hidden = this.picture === null;
    this.buttons();
    this.speak(said);
  }

  /** Say the card's sentence to a screen reader, at most once a second while playing. @param {string} text */
  speak(text) {
    if (this.playing && Date.now() - this.spokenAt < 1000) return;
    this.spokenAt = Date.now();
    part("aloud").textContent = text;
  }

  buttons() {
    const { done, run } = this;
    for (const button of document.querySelectorAll("#transport button")) {
      const what = /** @type {HTMLElement} */ (button).dataset.go || "";
      const back = ["first", "sweep-back", "back"].includes(what);
      const ends = back ? done <= Math.min(1, run.events.length) : ["next", "sweep", "last"].includes(what) && done >= run.events.length;
      /** @type {HTMLButtonElement} */ (button).disabled = ends;
    }
    document.body.classList.toggle("playing", this.playing !== 0);
    const play = /** @type {HTMLElement} */ (document.querySelector("[data-go=play]"));
    play.setAttribute("aria-label", this.playing ? _("Pause") : _("Play"));
    for (const button of document.querySelectorAll("#modes button")) {
      button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.mode === this.mode));
    }
    part("fit").disabled = !this.picture || (this.picture.zoom === 0 && this.picture.isWhole);
  }

  // Moving ---------------------------------------------------------------------------------------------------------

  /** @param {string} what */
  move(what) {
    if (what !== "play") this.pause();
    if (this.mode === "ask" && what !== "speed") this.leave("watch");
    const { run, done } = this;
    const at = run.sweeps.findIndex((s) => done > s.first && done <= s.first + s.count);
    switch (what) {
      case "first": return this.go(Math.min(1, run.events.length));
      case "last": return this.go(run.events.length);
      case "next": return this.go(done + 1);
      case "back": return this.go(Math.max(1, done - 1));
      case "sweep": return this.go(run.sweeps[at + 1] ? run.sweeps[at + 1].first + 1 : run.events.length);
      case "sweep-back": {
        if (at < 0) return this.go(1);
        const { first } = run.sweeps[at];
        return this.go(done > first + 1 || at === 0 ? first + 1 : run.sweeps[at - 1].first + 1);
      }
      case "node": return this.go(this.nextNode(1));
      case "node-back": return this.go(this.nextNode(-1));
      case "play": return this.playing ? this.pause(true) : this.play();
      case "speed": {
        const speeds = [0.5, 1, 2, 4];
        this.speed = speeds[(speeds.indexOf(this.speed) + 1) % speeds.length];
        /** @type {HTMLElement} */ (document.querySelector("[data-go=speed]")).textContent = `${this.speed}×`;
      }
    }
  }

  /** The first event of the next, or of the previous, node. @param {number} way */
  nextNode(way) {
    const { run } = this;
    const events = run.events;
    const node = (/** @type {number} */ k) => `${events[k].kind}${events[k].node}`;
    let k = Math.max(0, this.done - 1);
    if (!events.length) return 0;
    const here = node(k);
    while (k + way >= 0 && k + way < events.length && node(k) === here) k += way;
    if (way < 0) while (k > 0 && node(k - 1) === node(k)) k--;
    return k + 1;
  }

  play() {
    if (this.done >= this.run.events.length) this.done = 0;
    const tick = () => {
      if (this.done >= this.run.events.length) return this.pause(true);
      if (this.mode === "predict" && this.done > 0 && this.predict.isOpen(this.run.events[this.done - 1])) return this.pause(true);
      const arrive = () => {
        if (!this.playing) return;
        this.go(this.done + 1);
        this.playing = window.setTimeout(tick, Math.max(0, 900 / this.speed - (performance.now() - begun)));
      };
      const begun = performance.now();
      if (this.picture && this.speed < 4) this.picture.animate(this.run, this.done, arrive);
      else arrive();
    };
    this.playing = 1;
    tick();
  }

  pause(repaint = false) {
    window.clearTimeout(this.playing);
    this.playing = 0;
    if (this.picture) this.picture.stop();
    if (repaint) this.paint();
    else this.buttons();
  }

  // Asking and trying ----------------------------------------------------------------------------------------------

  /** @param {number} k */
  askAbout(k) {
    this.pause();
    if (this.mode === "ask" && this.asked.length === 1 && this.asked[0] !== k) this.asked = [this.asked[0], k];
    else this.asked = [k];
    this.enter();
    this.paint();
    this.remember();
  }

  /** Begin to ask: everything is shown as it is after the backward sweep. */
  enter() {
    if (this.mode !== "ask") this.left = this.done;
    this.mode = "ask";
    this.editing = null;
    if (this.run.hasBackward) this.done = Math.max(this.done, this.afterBackward());
  }

  /** Stop asking, at the step at which it began. @param {string} mode */
  leave(mode) {
    if (this.mode === "ask") this.done = Math.min(this.left, this.run.events.length);
    this.mode = mode;
    this.asked = [];
    this.editing = null;
  }

  /** @param {number} leaf */
  edit(leaf) {
    if (this.editing === leaf) return;
    this.pause();
    if (this.mode === "ask") this.leave("watch");
    this.asked = [];
    this.editing = leaf;
    this.paint();
  }

  /** @param {number} leaf @param {string} text */
  commit(leaf, text) {
    const x = readNumber(text);
    if (x === null) {
      this.refuse(text.trim() ? fillPlain(_("{text} is no number."), { text: text.trim() }) : _("Type a number."));
      return;
    }
    if (show(x) === show(this.run.values[leaf]) && text === show(this.run.values[leaf])) return;
    this.editing = leaf;
    const next = new Map(this.trial.leaves);
    next.set(leaf, x);
    const refused = this.trial.set(next);
    if (refused) {
      this.refuse(refused.message);
      return;
    }
    this.done = Math.min(this.done, this.run.events.length);
    this.paint();
  }

  /** @param {string} message */
  refuse(message) {
    const field = document.getElementById("refusal");
    if (field) field.textContent = `⚠ ${message}`;
    this.speak(message);
  }

  /** The card with number and slider. @param {number} leaf */
  tryCard(leaf) {
    const { run, recorded } = this;
    const root = this.graph.root;
    const html = this.card.html(leaf);
    const x = run.values[leaf];
    const was = recorded.values[leaf];
    const half = Math.max(1, 2 * Math.abs(was));
    const row = (/** @type {string} */ name, /** @type {number} */ before, /** @type {number} */ now) =>
      `<tr><th scope="row">${name}</th><td>${show(before)}</td><td class="now">${show(now)}</td><td>${signed(now - before, 4)}</td></tr>`;
    const g = recorded.gradients[leaf];
    const dx = x - was;
    const E = this.card.html(root);
    const d = g * dx;
    const said = !run.hasBackward || !(dx !== 0) || !Number.isFinite(d) ? "" : `<p class="say">${fill(d >= 0 ? _("Underlined numbers have changed. The gradient had foretold it: about {g} · {dx} = {d} more.") : _("Underlined numbers have changed. The gradient had foretold it: about {g} · {dx} = {d} less."), { g: show(g), dx: dx < 0 ? `(${show(dx, 4)})` : show(dx, 4), d: show(Math.abs(d), 4) })}</p>`;
    const locked = this.page.nodes[leaf].editable;
    const outcome = `<table class="before"><thead><tr><th></th><th scope="col">${fill(_("before"))}</th><th scope="col">${fill(_("now"))}</th><th scope="col">${fill(_("change"))}</th></tr></thead><tbody>
       ${row(E, recorded.values[root], run.values[root])}${run.hasBackward ? row(this.card.slopeHtml(root, leaf), g, run.gradients[leaf]) : ""}</tbody></table>${said}`;
    const key = `${leaf} ${this.update} ${language}`;
    const shown = document.getElementById("outcome");
    if (shown && shown.dataset.key === key && !locked) { // a new slider would end the dragging of the old one
      const [number_, slider] = [part("try"), document.getElementById("slider")];
      if (document.activeElement !== number_ || readNumber(number_.value) !== x) number_.value = show(x);
      if (slider instanceof HTMLInputElement && document.activeElement !== slider) slider.value = String(x);
      part("refusal").textContent = "";
      shown.innerHTML = outcome;
      return;
    }
    const [low, high] = [was - half, was + half].map((end) => (locked || !Number.isFinite(was) ? end : this.trial.reach(leaf, x, end)));
    const slider = Number.isFinite(was) && low < high
      ? `<input type="range" id="slider" min="${low}" max="${high}" step="any" value="${x}" aria-label="${escapeHtml(this.graph.nodes[leaf].label)}">` : "<span></span>";
    const control = locked
      ? `<p class="say">🔒 ${fill(_("No JavaScript rule for {op}."), { op: escapeHtml(locked) })}</p>`
      : `<div class="try"><label class="big">${html} = <input id="try" value="${show(x)}" autocomplete="off" inputmode="text"></label>
         ${slider}<span class="was">${fill(_("was {x}"), { x: show(was) })}</span></div><p class="warn" id="refusal" role="alert"></p>`;
    this.card.set(
      "q",
      `${kicker("q", `<b>${fill(_("Try"))}</b> <span>${fill(_("Change a leaf; everything is computed again at once"))}</span>`, [])}${control}<div id="outcome" data-key="${escapeHtml(key)}">${outcome}</div>`,
    );
  }

  /** @param {string} what */
  act(what) {
    this.pause();
    cancelAnimationFrame(this.training);
    if (what === "reset") {
      this.trial.reset();
      this.leaves.curve = [];
      this.editing = null;
    } else {
      if (!this.leaves.curve.length) this.leaves.curve = [this.run.values[this.graph.root]];
      const count = what === "train" ? 100 : 1;
      let made = 0;
      const some = () => {
        for (let n = 0; n < Math.max(1, Math.ceil(count / 25)) && made < count; n++, made++) {
          const refused = this.trial.step();
          if (refused) {
            this.paint();
            this.speak(refused.message);
            this.card.element.insertAdjacentHTML("beforeend", `<p class="warn" role="alert">⚠ ${escapeHtml(refused.message)}</p>`);
            return;
          }
          this.leaves.curve.push(this.run.values[this.graph.root]);
        }
        this.paint();
        if (made < count) this.training = requestAnimationFrame(some);
      };
      some();
      return;
    }
    this.done = Math.min(this.done, this.run.events.length);
    this.paint();
  }

  // Page -----------------------------------------------------------------------------------------------------------

  /** The pane is as high as the picture needs, and stands left of the card if the picture is higher than wide. */
  size() {
    const pane = part("pane");
    this.timeline.forget();
    if (!this.picture) return;
    const { width, height } = this.picture.whole;
    const shown = height * Math.min(1, Math.max(SMALLEST, pane.clientWidth / width));
    pane.style.setProperty("--graph-height", String(Math.ceil(shown)));
    document.body.classList.toggle("tall", width / height < 1.4 && height > 500);
    this.picture.measure();
  }

  /** Another size of the window. Nothing is written anew: a keyboard on the screen also changes the size, while a person types. */
  fit() {
    this.size();
    const receiver = this.done > 0 ? this.run.receiver(this.done - 1) : null;
    if (this.picture) this.picture.show(this.asked.length ? this.asked[0] : this.editing ?? receiver ?? this.graph.root);
    this.timeline.paint(this.run, this.done);
    this.overview(receiver);
    this.buttons();
  }

  /** On paper: the recorded graph with all its values and gradients, as the text below it has them. */
  finish() {
    this.pause();
    if (!this.picture) return;
    this.picture.paint(this.recorded, this.recorded, {
      done: this.recorded.backwardTo || this.recorded.events.length, hidden: null, ends: [], on: null, paths: new Map(),
      edited: new Set(), base: null, still: true,
    });
  }

  /** @param {string} to */
  speakIn(to) {
    language = to;
    if (this.picture) {
      this.picture.forget();
      this.picture.speak();
    }
    const root = document.documentElement;
    root.lang = to === "zh" ? "zh-Hans" : to;
    const E = this.graph.nodes[this.graph.root].label;
    part("title").innerHTML = fill(_("How {E} was computed"), { E: this.page.nodes[this.graph.root].html });
    document.title = fillPlain(_("How {E} was computed"), { E });
    const optimizer = this.page.optimizer;
    const counts = fillPlain(_("{n} nodes · {m} edges"), { n: this.graph.nodes.length, m: this.graph.edges.length });
    part("meta").textContent = optimizer ? `${counts} · ${optimizer.kind}, η = ${show(optimizer.lr)}` : counts;
    const other = Object.keys({ en: 1, ...catalogues }).find((l) => l !== to) || "en";
    part("language").textContent = other === "zh" ? "中文" : "English";
    part("language").dataset.lang = other;
    part("language").lang = other === "zh" ? "zh-Hans" : "en";
    /** @type {Record<string, string>} */
    const labels = { theme: _("Light or dark"), help: _("Keys"), pane: _("computation graph"), language: other === "zh" ? "切换为中文" : "Switch to English", close: _("Close scopes"), open: _("Open scopes"), smaller: _("Smaller"), larger: _("Larger"), transport: _("Player"), modes: _("What to do"), "graph-tools": _("Zoom") };
    for (const id of Object.keys(labels)) part(id).setAttribute("aria-label", labels[id]);
    part("pane").setAttribute("role", "group");
    part("export").textContent = _("Export");
    part("fit").textContent = _("Fit");
    part("step-label").textContent = _("Step");
    part("dialog-close").textContent = _("Close");
    /** @type {Record<string, string>} */
    const go = { first: _("First step"), "sweep-back": _("Previous sweep"), back: _("Previous step"), next: _("Next step"), sweep: _("Next sweep"), last: _("Last step"), speed: _("Speed") };
    for (const button of document.querySelectorAll("#transport button")) {
      const label = go[/** @type {HTMLElement} */ (button).dataset.go || ""];
      if (label) {
        button.setAttribute("aria-label", label);
        button.setAttribute("title", label);
      }
    }
    const modes = { watch: _("Watch"), predict: _("Predict"), ask: _("Ask") };
    for (const button of document.querySelectorAll("#modes button")) {
      button.textContent = modes[/** @type {"watch"} */ (/** @type {HTMLElement} */ (button).dataset.mode)];
    }
    part("legend").innerHTML = [["f", _("Forward")], ["b", _("Backward")], ...(this.page.optimizer ? [["u", _("Update")]] : [])]
      .map(([kind, name]) => `<li class="${kind}"><svg viewBox="0 0 26 12"><path class="line" d="M0,6 H26"/><path class="mark" d="${GLYPHS[/** @type {"f"} */ (kind)]}" transform="translate(13,6) scale(.75)"/></svg>${escapeHtml(name)}</li>`)
      .join("");
    this.scopes();
    this.paint();
  }

  /** Where the shown part lies in the whole picture. @param {number | null} receiver */
  overview(receiver) {
    const map = part("overview");
    if (!this.picture) return;
    const { whole, view } = this.picture;
    map.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
    if (!matchMedia("(max-width: 1099px)").matches) return; // it is not shown
    if (!map.firstChild) {
      for (const drawn of this.picture.drawn) this.boxes.set(drawn, svgElement("rect", drawn.box, map));
      this.frame = svgElement("rect", { class: "frame" }, map);
    }
    for (const [drawn, rect] of this.boxes) {
      const is = receiver !== null && drawn.members.includes(receiver);
      const looks = is ? "here" : drawn.element.classList.contains("visited") ? "seen" : "";
      if (rect.getAttribute("class") !== looks) rect.setAttribute("class", looks);
    }
    if (this.frame) for (const [name, value] of Object.entries(view)) this.frame.setAttribute(name, String(value));
  }

  /** @param {string} title @param {string} html */
  dialog(title, html) {
    part("dialog-body").innerHTML = `<h2>${escapeHtml(title)}</h2>${html}`;
    part("dialog").showModal();
  }

  help() {
    const keys = [
      ["→ ←", _("next, previous step")], ["↓ ↑", _("next, previous node")], ["Shift + → ←", _("next, previous sweep")],
      [_("Space"), _("play, pause")], ["Home End", _("first, last step")], ["/", _("search a node or a step")],
      ["Enter", _("ask about the node with the focus")], ["[ ]", _("to the first input, to the first user of a node")],
      ["1 2 3", _("watch, predict, ask")], ["Esc", _("back to watching")], ["?", _("this list")],
    ];
    this.dialog(
      _("Keys"),
      `<table class="keys">${keys.map(([k, v]) => `<tr><th scope="row"><kbd>${escapeHtml(k)}</kbd></th><td>${escapeHtml(v)}</td></tr>`).join("")}</table>
       <label class="check"><input type="checkbox" id="char-keys" ${this.charKeys ? "checked" : ""}> ${fill(_("Keys that are characters (/, ?, 1, 2, 3, [ and ])"))}</label>`,
    );
    part("char-keys").addEventListener("change", (/** @type {Event & {target: any}} */ event) => (this.charKeys = /** @type {any} */ (event).target.checked));
  }

  search() {
    this.dialog(_("Go to node or step"), `<input id="search" autocomplete="off" aria-label="${escapeHtml(_("node or step"))}"><ul id="found" class="found"></ul>`);
    const list = () => {
      const text = part("search").value.trim().toLowerCase();
      const step = /^\d+$/.test(text) ? Number(text) : 0;
      const nodes = this.graph.nodes.map((node, k) => ({ k, label: node.label.toLowerCase() })).filter(({ label }) => text && label.includes(text)).slice(0, 12);
      const items = nodes.map(({ k }) => `<li><button type="button" data-found="n${k}">${this.page.nodes[k].html}</button></li>`);
      if (step && step <= this.run.events.length) items.unshift(`<li><button type="button" data-found="s${step}">${fill(_("Step {k} / {n}"), { k: step, n: this.run.events.length })}</button></li>`);
      part("found").innerHTML = items.join("") || (text ? `<li>${fill(_("nothing found"))}</li>` : "");
    };
    const go = (/** @type {string} */ what) => {
      part("dialog").close();
      const k = Number(what.slice(1));
      if (what[0] === "s") return this.go(k);
      const step = this.graph.nodes[k].op === null ? this.run.arrivals[k][0] : this.run.computed[k];
      if (step === undefined || step < 0) this.askAbout(k);
      else this.go(step + 1);
    };
    part("search").addEventListener("input", list);
    part("search").addEventListener("keydown", (/** @type {any} */ event) => {
      const first = part("found").querySelector("button");
      if (event.key === "Enter") {
        event.preventDefault();
        if (first) go(first.dataset.found);
      }
    });
    part("found").addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button");
      if (button) go(button.dataset.found);
    });
    part("search").focus();
  }

  exports() {
    const items = [`<li><button type="button" class="sec" data-export="svg">${fill(_("Picture of this state (SVG)"))}</button></li>`, `<li><button type="button" class="sec" data-export="json">${fill(_("The log (JSON)"))}</button></li>`];
    if (this.page.source) items.push(`<li><button type="button" class="sec" data-export="py">${fill(_("The Python code"))}</button></li>`);
    this.dialog(_("Export"), `<ul class="exports">${items.join("")}</ul>`);
    part("dialog-body").onclick = (/** @type {any} */ event) => {
      const button = event.target.closest("[data-export]");
      if (button) this.save(button.dataset.export);
    };
  }

  /** @param {string} what */
  save(what) {
    const name = (this.graph.nodes[this.graph.root].label || "lesson").replace(/[^\w-]+/g, "_") || "lesson";
    if (what === "json") return download(`${name}.json`, "application/json", part("record").textContent);
    if (what === "py") return download(`${name}.py`, "text/x-python", this.page.source || "");
    if (!this.picture) return;
    const copy = /** @type {SVGSVGElement} */ (this.picture.svg.cloneNode(true));
    const { whole } = this.picture;
    copy.setAttribute("xmlns", SVG);
    copy.removeAttribute("style"); // the place of the picture in the page
    copy.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
    copy.setAttribute("width", String(whole.width));
    copy.setAttribute("height", String(whole.height));
    const style = document.createElementNS(SVG, "style");
    const sheet = /** @type {HTMLStyleElement} */ (document.querySelector("head style"));
    style.textContent = `${sheet.textContent} .graph { background: var(--bg); }`;
    copy.prepend(style);
    copy.dataset.theme = document.documentElement.dataset.theme || "";
    download(`${name}-${this.done}.svg`, "image/svg+xml", new XMLSerializer().serializeToString(copy));
  }

  listen() {
    part("transport").addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button");
      if (button) this.move(button.dataset.go);
    });
    part("modes").addEventListener("click", (/** @type {any} */ event) => {
      const button = event.target.closest("button");
      if (button) this.choose(button.dataset.mode);
    });
    part("language").addEventListener("click", () => this.speakIn(part("language").dataset.lang));
    part("theme").addEventListener("click", () => {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    });
    part("help").addEventListener("click", () => this.help());
    part("export").addEventListener("click", () => this.exports());
    part("step").addEventListener("change", () => this.go(Number(part("step").value)));
    part("card").addEventListener("click", (/** @type {any} */ event) => this.cardClick(event));
    part("card").addEventListener("input", (/** @type {any} */ event) => {
      if (event.target.id === "slider" && this.editing !== null) {
        const x = Number(Number(event.target.value).toPrecision(6));
        const next = new Map(this.trial.leaves);
        next.set(this.editing, x);
        const refused = this.trial.set(next);
        if (refused) this.refuse(refused.message);
        else this.paint();
      }
    });
    part("card").addEventListener("change", (/** @type {any} */ event) => {
      if (event.target.id === "try" && this.editing !== null) this.commit(this.editing, event.target.value);
    });
    part("card").addEventListener("keydown", (/** @type {any} */ event) => {
      if (event.key !== "Enter") return;
      if (event.target.id === "try" && this.editing !== null) this.commit(this.editing, event.target.value);
      if (event.target.id !== "guess") return;
      event.preventDefault(); // else Enter would press the button that gets the focus
      this.guess("check");
    });
    for (const name of ["pointerover", "focusin"]) part("card").addEventListener(name, (/** @type {any} */ e) => this.hover(e.target));
    part("leaves").addEventListener("pointerover", (/** @type {any} */ e) => this.hover(e.target));
    part("pane").addEventListener("pointerover", (/** @type {any} */ e) => {
      this.hover(e.target);
      if (this.picture) this.picture.tip(e.target, this.run);
    });
    this.listenToGraph();
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.follow());
    window.addEventListener("resize", () => this.fit());
    window.addEventListener("beforeprint", () => this.finish());
    window.addEventListener("afterprint", () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  /** Light the drawing of what the pointer is over, everywhere. @param {Element} target */
  hover(target) {
    for (const lit of document.querySelectorAll(".hovered")) lit.classList.remove("hovered");
    const symbol = target.closest("[data-hover], g.node");
    if (!symbol || !(symbol instanceof Element)) return;
    const id = symbol.getAttribute("data-hover") || symbol.getAttribute("data-node");
    for (const element of document.querySelectorAll(`[data-hover="${id}"], g.node[data-node="${id}"]`)) element.classList.add("hovered");
  }

  /** @param {any} event */
  cardClick(event) {
    const about = event.target.closest("[data-ask]");
    if (about) {
      this.asked = about.dataset.ask.split(",").map(Number);
      this.enter();
      this.paint();
      this.remember();
      return;
    }
    const guess = event.target.closest("[data-guess]");
    if (guess) this.guess(guess.dataset.guess);
  }

  /** @param {string} what */
  guess(what) {
    const k = this.done - 1;
    if (what === "check" && this.predict.check(this.run, k, part("guess").value)) this.paint();
    if (what === "hint") this.predict.hint(this.run, k);
    if (what === "show") {
      this.predict.reveal(this.run.events[k]);
      this.paint();
    }
  }

  /** @param {string} mode */
  choose(mode) {
    this.pause();
    if (mode === "ask") {
      this.asked = [];
      this.enter();
    } else this.leave(mode);
    if (mode === "predict" && this.done === 0) this.done = Math.min(1, this.run.events.length);
    this.paint();
    this.remember();
    if (mode === "predict") (document.getElementById("guess") || document.body).focus();
  }

  listenToGraph() {
    const pane = part("pane");
    let start = /** @type {{x: number, y: number, view: any, moved: boolean} | null} */ (null);
    pane.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (this.picture) start = { x: event.clientX, y: event.clientY, view: { ...this.picture.view }, moved: false };
    });
    pane.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!start || !this.picture || !event.buttons) return;
      const scale = start.view.width / pane.clientWidth;
      const dx = (event.clientX - start.x) * scale;
      const dy = (event.clientY - start.y) * scale;
      if (Math.hypot(dx, dy) > 4) start.moved = true;
      if (start.moved && !this.picture.isWhole) {
        this.picture.look({ ...start.view, x: start.view.x - dx, y: start.view.y - dy });
        this.overview(null);
      }
    });
    pane.addEventListener("click", (/** @type {any} */ event) => {
      const moved = start && start.moved;
      start = null;
      if (moved) return;
      const sheet = event.target.closest("g.sheet");
      if (sheet) {
        const [scope] = JSON.parse(sheet.dataset.scopes); // none if it holds leaves of no scope
        return scope && this.openTo(scope.length);
      }
      const scope = event.target.closest("g.band > text, g.block > text");
      if (scope && scope.parentElement.dataset.scope) return this.openTo(JSON.parse(scope.parentElement.dataset.scope).length - 1);
      const node = event.target.closest("g.node");
      if (!node) {
        if (this.mode === "ask") this.choose("watch");
        return;
      }
      const [k, ...more] = (node.dataset.node || "").split(" ").map((/** @type {string} */ id) => Number(id.slice(1)));
      if (more.length) return;
      const leaf = this.graph.nodes[k].op === null;
      if (leaf && event.target.closest(".val") && this.mode !== "ask") {
        this.edit(k);
        const field = /** @type {HTMLInputElement | null} */ (document.getElementById("try"));
        if (field) field.select();
      }
      else this.askAbout(k);
    });
    pane.addEventListener("wheel", (/** @type {WheelEvent} */ event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
    pane.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const focused = /** @type {Element} */ (event.target).closest("g.node");
      const current = (this.done > 0 ? this.run.receiver(this.done - 1) : null) ?? this.graph.root;
      const here = focused ? Number((focused.getAttribute("data-node") || "n0").split(" ")[0].slice(1)) : current;
      if (event.key === "Enter") {
        this.askAbout(here);
        event.preventDefault();
      }
      if (!this.charKeys || (event.key !== "[" && event.key !== "]")) return;
      const next = event.key === "[" ? this.graph.nodes[here].inputs[0] : this.graph.users(here)[0];
      const element = this.picture && next !== undefined && this.picture.nodes[next].length ? this.picture.nodes[next][0].element : null;
      if (!element) return;
      element.setAttribute("tabindex", "-1");
      element.focus();
      event.preventDefault();
    });
    part("close").addEventListener("click", () => this.openTo(this.levels[this.levels.indexOf(this.depth) - 1]));
    part("open").addEventListener("click", () => this.openTo(this.levels[this.levels.indexOf(this.depth) + 1]));
    part("smaller").addEventListener("click", () => this.zoomBy(1 / 1.25));
    part("larger").addEventListener("click", () => this.zoomBy(1.25));
    part("fit").addEventListener("click", () => {
      if (!this.picture) return;
      this.picture.zoom = Math.min(pane.clientWidth / this.picture.whole.width, pane.clientHeight / this.picture.whole.height);
      this.paint();
      this.picture.zoom = 0;
    });
  }

  /** How deep scopes are open now. */
  get depth() {
    return Number(/** @type {HTMLElement | null} */ (part("pane").querySelector(".drawing"))?.dataset.level || 0);
  }

  /** Open scopes to another depth: a layout that Python prepared. @param {number} depth */
  openTo(depth) {
    const template = /** @type {HTMLTemplateElement | null} */ (document.querySelector(`template[data-level="${depth}"]`));
    if (!template) return;
    const drawing = /** @type {HTMLElement} */ (part("pane").querySelector(".drawing"));
    drawing.replaceChildren(template.content.cloneNode(true));
    Object.assign(drawing.dataset, template.dataset);
    this.picture = new Picture(/** @type {SVGSVGElement} */ (drawing.querySelector("svg")), this.graph);
    part("overview").replaceChildren();
    this.boxes.clear();
    this.size();
    this.speakIn(language);
  }

  /** Buttons that open and close scopes, and how much is closed. */
  scopes() {
    const at = this.levels.indexOf(this.depth);
    part("close").hidden = part("open").hidden = this.levels.length < 2;
    part("close").disabled = at <= 0;
    part("open").disabled = at >= this.levels.length - 1;
    const drawing = /** @type {HTMLElement | null} */ (part("pane").querySelector(".drawing"));
    const closed = drawing !== null && drawing.querySelector("g.sheet") !== null;
    part("notice").hidden = !closed;
    if (closed) part("notice").textContent = fillPlain(_("Collapsed to {n} of {m} nodes"), { n: drawing.dataset.nodes || "", m: this.graph.nodes.length });
  }

  /** @param {number} factor */
  zoomBy(factor) {
    if (!this.picture) return;
    const now = part("pane").clientWidth / this.picture.view.width;
    this.picture.zoom = Math.min(4, Math.max(0.1, now * factor));
    this.paint();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || part("dialog").open) return;
    const typing = target.closest("input, textarea, select");
    if (event.key === "Escape") {
      this.editing = null;
      return this.choose("watch");
    }
    if (typing) return;
    const moves = { ArrowRight: event.shiftKey ? "sweep" : "next", ArrowLeft: event.shiftKey ? "sweep-back" : "back", ArrowDown: "node", ArrowUp: "node-back", Home: "first", End: "last" };
    const what = moves[/** @type {"Home"} */ (event.key)];
    if (what) {
      this.move(what);
      event.preventDefault();
      return;
    }
    if (event.key === " " && !target.closest("button, a, summary")) {
      this.move("play");
      event.preventDefault();
      return;
    }
    if (!this.charKeys) return;
    const modes = { 1: "watch", 2: "predict", 3: "ask" };
    if (event.key in modes) this.choose(modes[/** @type {1} */ (/** @type {unknown} */ (event.key))]);
    else if (event.key === "?") this.help();
    else if (event.key === "/") {
      this.search();
      event.preventDefault();
    }
  }
}

/** Give the person a file. @param {string} name @param {string} type @param {string} text */
function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * In a frame the page is dark if the text around the frame is light: notebooks have themes of their own.
 * @returns {"light" | "dark" | null} null without a frame, or if it is of another origin
 */
function surroundings() {
  const frame = window.frameElement;
  const canvas = document.createElement("canvas").getContext("2d"); // reads a colour in any notation
  if (!frame || !canvas) return null;
  canvas.fillStyle = getComputedStyle(frame).color;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.3 * red + 0.59 * green + 0.11 * blue > 128 ? "dark" : "light";
}

/** Start the page. */
function start() {
  /** @type {Data} */
  const data = { record: JSON.parse(part("record").textContent), ...JSON.parse(part("data").textContent) };
  catalogues = data.messages;
  document.body.classList.remove("no-script");
  const around = surroundings();
  if (around) document.documentElement.dataset.theme = around;
  const lesson = new Lesson(data);
  lesson.listen();
  lesson.size();
  lesson.done = Math.min(1, lesson.run.events.length);
  lesson.speakIn(data.language);
  lesson.follow();
  return lesson;
}

const lesson = start();
