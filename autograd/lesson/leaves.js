// Leaves: the table of inputs and parameters; each value can be edited, which starts a trial.
"use strict";

class Leaves {
  /**
   * @param {HTMLElement} element @param {Graph} graph @param {Page} page
   * @param {{edit: (leaf: number) => void, commit: (leaf: number, text: string) => void, act: (what: string) => void}} on
   */
  constructor(element, graph, page, on) {
    this.element = element;
    this.graph = graph;
    this.page = page;
    this.on = on;
    /** @type {number[]} */ this.curve = [];
    this.built = "";
    element.addEventListener("click", (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const button = target.closest("button");
      if (button && button.dataset.act) on.act(button.dataset.act);
    });
    element.addEventListener("focusin", (event) => {
      const input = /** @type {HTMLElement} */ (event.target);
      if (!(input instanceof HTMLInputElement) || !input.dataset.node) return;
      input.select();
      on.edit(Number(input.dataset.node.slice(1)));
    });
    element.addEventListener("change", (event) => {
      const input = event.target;
      if (input instanceof HTMLInputElement && input.dataset.node) on.commit(Number(input.dataset.node.slice(1)), input.value);
    });
    element.addEventListener("keydown", (event) => {
      const input = event.target;
      if (!(input instanceof HTMLInputElement) || !input.dataset.node) return;
      if (event.key === "Enter") input.dispatchEvent(new Event("change", { bubbles: true }));
      if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        const x = readNumber(input.value);
        if (x === null || !Number.isFinite(x)) return;
        const unit = Math.pow(10, Math.floor(Math.log10(Math.abs(x) || 1)) - 1);
        input.value = String(Number((x + (event.key === "ArrowUp" ? unit : -unit)).toPrecision(12)));
        input.dispatchEvent(new Event("change", { bubbles: true }));
        event.preventDefault();
      }
      if (event.key === "Escape") {
        input.value = input.defaultValue; // the number that was there: nothing is changed
        input.blur();
      }
    });
  }

  /** @param {number} k */
  field(k) {
    const why = this.page.nodes[k].editable;
    const label = escapeHtml(fillPlain(_("value of {name}"), { name: this.graph.nodes[k].label }));
    if (why) return `<span class="lock" title="${escapeHtml(fillPlain(_("No JavaScript rule for {op}."), { op: why }))}"><span aria-hidden="true">🔒</span> <span data-value="${k}"></span></span>`;
    return `<input data-node="n${k}" aria-label="${label}" autocomplete="off" inputmode="text">`;
  }

  /** Everything but the numbers. @param {boolean} hasUpdate @param {boolean} canStep */
  build(hasUpdate, canStep) {
    const { page, graph } = this;
    const trained = page.trained.length ? page.trained : graph.leaves;
    const rest = graph.leaves.filter((k) => !trained.includes(k));
    const most = 200;
    const name = (/** @type {number} */ k) => `<span class="sym" data-hover="n${k}">${page.nodes[k].html}</span>`;
    const row = (/** @type {number} */ k) =>
      `<tr data-row="${k}"><th scope="row">${name(k)}</th><td>${this.field(k)}</td><td class="g"></td>${hasUpdate ? '<td class="w"></td>' : ""}</tr>`;
    const more = (/** @type {number} */ n) => (n > 0 ? `<p class="more">${fill(_("{n} more"), { n })}</p>` : "");
    const buttons = ["reset", ...(canStep ? ["step", "train"] : [])].map((act) => `<button type="button" data-act="${act}"></button>`);
    this.element.innerHTML = `<div class="head"><h2>${escapeHtml(_("Leaves"))}</h2>${buttons.join("")}</div><div class="chart"></div>
      <table><thead><tr><th></th><th scope="col">${escapeHtml(_("value"))}</th><th scope="col">${escapeHtml(_("gradient"))}</th>${hasUpdate ? `<th scope="col">${escapeHtml(_("after update"))}</th>` : ""}</tr></thead>
      <tbody>${trained.slice(0, most).map(row).join("")}</tbody></table>${more(trained.length - most)}
      ${rest.length ? `<div class="fixed"><span>${escapeHtml(_("Not trained"))}</span>${rest.slice(0, 24).map((k) => `<label data-row="${k}"><b>${name(k)}</b> ${this.field(k)}</label>`).join("")}</div>${more(rest.length - 24)}` : ""}`;
    const labels = { reset: _("Reset"), step: _("Take a step"), train: _("Train 100") };
    for (const button of this.element.querySelectorAll("button")) button.textContent = labels[/** @type {"reset"} */ (button.dataset.act)];
  }

  /**
   * @param {Run} run @param {number} done @param {{lit: Set<number>, kind: string, hidden: number | null, active: boolean, steps: number, canStep: boolean}} now
   */
  paint(run, done, now) {
    const hasUpdate = run.updated.some((e) => e >= 0);
    const state = `${language} ${hasUpdate} ${now.canStep}`;
    if (this.built !== state) this.build(hasUpdate, now.canStep);
    this.built = state;
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("[data-row]"))) {
      const k = Number(row.dataset.row);
      const classes = now.lit.has(k) ? `lit ${now.kind}` : "";
      if (row.className !== classes) row.className = classes;
      const input = row.querySelector("input");
      const value = show(run.values[k], 6);
      if (input && input.value !== value && (document.activeElement !== input || readNumber(input.value) !== run.values[k])) input.value = value;
      if (input) input.defaultValue = value;
      const fixed = row.querySelector("[data-value]");
      if (fixed) fixed.textContent = value;
      const gradient = run.gradientAt(k, done);
      const moved = run.updatedAt(k, done);
      const hides = now.hidden === k;
      const set = (/** @type {string} */ name, /** @type {number | null} */ x, /** @type {boolean} */ hidden) => {
        const cell = row.querySelector(name);
        const text = hidden ? "?" : x === null ? "" : show(x, 4);
        if (cell && cell.textContent !== text) cell.textContent = text;
      };
      set(".g", gradient, hides && now.kind === "b");
      set(".w", moved, hides && now.kind === "u");
    }
    const reset = /** @type {HTMLButtonElement | null} */ (this.element.querySelector("[data-act=reset]"));
    if (reset) reset.disabled = !now.active;
    const chart = /** @type {HTMLElement} */ (this.element.querySelector(".chart"));
    chart.innerHTML = this.curveSvg(now.steps);
  }

  /** The result after each training step made in the page. @param {number} steps */
  curveSvg(steps) {
    if (this.curve.length < 2) return "";
    const finite = this.curve.filter(Number.isFinite);
    const low = Math.min(...finite, 0);
    const high = Math.max(...finite, low + 1e-300);
    const points = this.curve.map((y, k) => `${((k / (this.curve.length - 1)) * 340).toFixed(1)},${(46 - (44 * (Number.isFinite(y) ? y - low : 0)) / (high - low)).toFixed(1)}`);
    const last = this.curve[this.curve.length - 1];
    return `<figure class="curve"><svg viewBox="0 0 340 48" preserveAspectRatio="none" aria-hidden="true"><polyline points="${points.join(" ")}"/></svg><figcaption>${fill(_("after {n} steps: {value}"), { n: steps, value: show(last) })}</figcaption></figure>`;
  }
}

/** A message with values that are plain text. @param {string} message @param {Record<string, string | number>} values */
function fillPlain(message, values) {
  return message.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
