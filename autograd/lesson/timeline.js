// Timeline: the sweeps as segments with a tick for each event, and the current position on them.
"use strict";

const SHAPE_SVG = { f: "M1,1 L10,5.5 L1,10 z", b: "M10,1 L1,5.5 L10,10 z", u: "M5.5,0.5 L10.5,5.5 L5.5,10.5 L0.5,5.5 z" };

class Timeline {
  /** @param {HTMLElement} element @param {(step: number) => void} go */
  constructor(element, go) {
    this.element = element;
    this.go = go;
    /** @type {Run | null} */ this.run = null;
    this.dragging = false;
    this.language = "";
    this.width = 0;
    element.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      element.setPointerCapture(event.pointerId);
      go(this.stepAt(event.clientX));
    });
    element.addEventListener("pointermove", (event) => {
      if (this.dragging) go(this.stepAt(event.clientX));
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => (this.dragging = false));
  }

  /** The page has another size: draw everything again the next time. */
  forget() {
    this.width = 0;
  }

  /** The step under a point of the screen. @param {number} x */
  stepAt(x) {
    const run = this.run;
    if (!run) return 0;
    let step = 0;
    for (const [n, track] of [...this.element.querySelectorAll(".track")].entries()) {
      const box = track.getBoundingClientRect();
      const { first, count } = run.sweeps[n];
      if (x >= box.left) step = first + Math.min(count, Math.max(1, Math.ceil(((x - box.left) / (box.width || 1)) * count)));
    }
    return step;
  }

  /** @param {Run} run @param {number} done */
  paint(run, done) {
    const fresh = this.run !== run || !this.element.firstChild || this.language !== language || !this.width;
    this.run = run;
    this.language = language;
    if (fresh) this.width = this.element.clientWidth;
    const total = Math.max(1, run.events.length);
    if (fresh) {
      this.element.innerHTML = run.sweeps
        .map(({ kind, count }) => {
          const share = Math.max(0.12, count / total);
          const ticks = (share * (this.width || 600)) / count >= 4 ? count : 0;
          const tick = `<i><svg viewBox="0 0 11 11" aria-hidden="true"><path d="${SHAPE_SVG[/** @type {"f"} */ (kind)]}"/></svg></i>`;
          return `<div class="segment ${kind}" style="flex:${share} 1 0"><div class="name"><svg viewBox="0 0 11 11" aria-hidden="true"><path d="${SHAPE_SVG[/** @type {"f"} */ (kind)]}"/></svg><b>${escapeHtml(sweepName(kind))}</b> <span></span></div><div class="track">${ticks ? tick.repeat(ticks) : '<span class="bar"></span><i class="thumb"><svg viewBox="0 0 11 11"><path d="' + SHAPE_SVG[/** @type {"f"} */ (kind)] + '"/></svg></i>'}</div></div>`;
        })
        .join("");
    }
    run.sweeps.forEach(({ first, count }, n) => {
      const segment = this.element.children[n];
      const inside = Math.min(count, Math.max(0, done - first));
      const text = segment.querySelector(".name span");
      if (text) text.textContent = inside ? `${inside} / ${count}` : String(count);
      const bar = /** @type {HTMLElement | null} */ (segment.querySelector(".bar"));
      if (bar) {
        bar.style.width = `${(100 * inside) / count}%`;
        const thumb = /** @type {HTMLElement} */ (segment.querySelector(".thumb"));
        thumb.hidden = !(inside && done <= first + count);
        thumb.style.left = `calc(${(100 * inside) / count}% - 13px)`;
        return;
      }
      segment.querySelectorAll(".track i").forEach((tick, k) => {
        tick.className = first + k + 1 === done ? "current" : k < inside ? "done" : "";
      });
    });
    const event = done > 0 ? run.events[done - 1] : null;
    const name = event ? `, ${sweepName(event.kind)}, ${run.label(done - 1)}` : "";
    this.element.setAttribute("aria-valuemax", String(run.events.length));
    this.element.setAttribute("aria-valuenow", String(done));
    this.element.setAttribute("aria-valuetext", fillPlain(_("Step {k} / {n}"), { k: done, n: run.events.length }) + name);
    this.element.setAttribute("aria-label", _("Timeline"));
  }
}
