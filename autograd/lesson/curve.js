// Curve: the result after each recorded training step, as a line on which a step can be chosen.
"use strict";

class Curve {
  /**
   * @param {HTMLElement} element @param {any[]} updates those that can be chosen @param {any[] | undefined} losses of all
   * @param {(n: number) => void} choose
   */
  constructor(element, updates, losses, choose) {
    this.element = element;
    this.updates = updates;
    this.losses = (losses || updates.map((one) => one.loss)).map(number);
    element.hidden = updates.length < 2;
    element.addEventListener("input", (event) => choose(Number(/** @type {HTMLInputElement} */ (event.target).value) - 1));
  }

  /** @param {number} n */
  paint(n) {
    if (this.element.hidden) return;
    const { losses, updates } = this;
    const finite = losses.filter(Number.isFinite);
    const low = Math.min(0, ...finite);
    const high = Math.max(...finite, low + 1e-300);
    const x = (/** @type {number} */ k) => (1000 * k) / Math.max(1, losses.length - 1);
    const y = (/** @type {number} */ loss) => 28 - (26 * ((Number.isFinite(loss) ? loss : high) - low)) / (high - low);
    if (!this.element.firstChild) {
      this.element.innerHTML = `<svg viewBox="0 0 1000 30" preserveAspectRatio="none" aria-hidden="true"><polyline points="${losses.map((loss, k) => `${x(k).toFixed(1)},${y(loss).toFixed(1)}`).join(" ")}"/><line y1="0" y2="30"/></svg><input type="range" min="1" max="${updates.length}" step="1"><output></output>`;
    }
    const at = x((updates[n].number || n + 1) - 1);
    const line = /** @type {Element} */ (this.element.querySelector("line"));
    line.setAttribute("x1", String(at));
    line.setAttribute("x2", String(at));
    const text = fillPlain(_("Update {k} / {n} · {loss}"), { k: updates[n].number || n + 1, n: losses.length, loss: show(number(updates[n].loss)) });
    const input = /** @type {HTMLInputElement} */ (this.element.querySelector("input"));
    if (input.value !== String(n + 1)) input.value = String(n + 1);
    input.setAttribute("aria-label", _("training step"));
    input.setAttribute("aria-valuetext", text);
    /** @type {Element} */ (this.element.querySelector("output")).textContent = text;
  }
}
