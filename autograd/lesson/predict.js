// Predict: asks for the next number, checks the answer, gives hints, and keeps the score.
"use strict";

class Predict {
  /** @param {Card} card @param {Page} page */
  constructor(card, page) {
    this.card = card;
    this.page = page;
    /** Answers by event, so that other numbers are asked for again: how many misses, and whether it is solved. @type {WeakMap<LogEvent, {misses: number, solved: boolean, shown: boolean, hints: number}>} */
    this.answers = new WeakMap();
    this.score = { first: 0, asked: 0 };
  }

  /** @param {LogEvent} event */
  of(event) {
    let answer = this.answers.get(event);
    if (!answer) this.answers.set(event, (answer = { misses: 0, solved: false, shown: false, hints: 0 }));
    return answer;
  }

  /** Whether the number of an event is still to be found. @param {LogEvent} event */
  isOpen(event) {
    const answer = this.of(event);
    return !answer.solved && !answer.shown;
  }

  /** The number asked for. @param {Run} run @param {number} k */
  wanted(run, k) {
    const event = run.events[k];
    if (event.kind !== "b") return event.result;
    return run.arrivals[event.input].indexOf(k) > 0 ? event.total : event.contribution;
  }

  /** @param {Run} run @param {number} k */
  show(run, k) {
    const open = this.isOpen(run.events[k]);
    this.card.event(run, k, open);
    const { first, asked } = this.score;
    const score = asked ? `<p class="score">${fill(_("{a} of {b} at first try"), { a: first, b: asked })}</p>` : "";
    if (open) {
      this.card.element.insertAdjacentHTML(
        "beforeend",
        `<div class="guess" role="group"><input id="guess" aria-label="${escapeHtml(_("your answer"))}" autocomplete="off" inputmode="text"><button type="button" class="primary" data-guess="check">${fill(_("Check"))}</button><button type="button" class="sec" data-guess="hint">${fill(_("Hint"))}</button><button type="button" class="sec" data-guess="show">${fill(_("Show me"))}</button></div>
         <p class="say" id="verdict" role="status">${fill(_("Right within 1 %. Use 4 significant digits or more."))}</p>${score}`,
      );
    } else if (this.of(run.events[k]).solved) {
      this.card.element.insertAdjacentHTML("beforeend", `<p class="right">✓ ${fill(_("Right."))}</p>${score}`);
    } else this.card.element.insertAdjacentHTML("beforeend", score);
  }

  /** @param {Run} run @param {number} k @param {string} text @returns {boolean} whether the number may be shown now */
  check(run, k, text) {
    const guess = readNumber(text);
    const verdict = /** @type {HTMLElement} */ (document.getElementById("verdict"));
    if (guess === null) {
      verdict.textContent = _("That is no number. Type one such as 0.25, 1e-3 or 0.4*0.5.");
      return false;
    }
    const wanted = this.wanted(run, k);
    const answer = this.of(run.events[k]);
    const right = Number.isNaN(wanted) ? Number.isNaN(guess) : guess === wanted || Math.abs(guess - wanted) <= (wanted === 0 ? 1e-6 : 0.01 * Math.abs(wanted));
    if (right) {
      if (answer.misses === 0) this.score.first++;
      this.score.asked++;
      answer.solved = true;
      return true;
    }
    answer.misses++;
    const sign = guess !== 0 && Math.sign(guess) === -Math.sign(wanted);
    verdict.textContent = sign ? _("Not yet: the sign is wrong.") : guess > wanted ? _("Not yet: too large.") : _("Not yet: too small.");
    if (answer.misses >= 3) {
      const button = /** @type {HTMLElement | null} */ (this.card.element.querySelector("[data-guess=show]"));
      if (button) button.focus();
    }
    return false;
  }

  /** @param {Run} run @param {number} k */
  hint(run, k) {
    const answer = this.of(run.events[k]);
    answer.hints = Math.min(2, answer.hints + 1);
    const event = run.events[k];
    const verdict = /** @type {HTMLElement} */ (document.getElementById("verdict"));
    const nth = event.kind === "b" ? run.arrivals[event.input].indexOf(k) : 0;
    if (event.kind === "f") verdict.textContent = answer.hints === 1 ? _("Put the numbers under the symbols into the formula.") : this.numbers(run, event.node);
    else if (event.kind === "u") verdict.textContent = answer.hints === 1 ? _("The old value, minus the learning rate times the gradient.") : `${show(event.old)}, ${show(event.gradient)}`;
    else if (answer.hints === 1) {
      verdict.textContent = nth > 0 ? _("Contribution = adjoint · partial. Add it to what has arrived before.") : _("Contribution = adjoint · partial.");
    } else verdict.textContent = `${nth > 0 ? show(event.total - event.contribution) + " + " : ""}${show(event.adjoint)} · ${show(event.partial)}`;
  }

  /** The formula of a node with numbers in the place of its operands. @param {Run} run @param {number} node */
  numbers(run, node) {
    const { columns } = this.page.nodes[node];
    const { formula, inputs } = run.graph.nodes[node];
    if (!columns || !columns.texts) return formula;
    return columns.texts.map((text, n) => {
      if (n >= columns.slots.length) return text;
      const x = run.values[inputs[Number(columns.slots[n])]];
      return text + (x < 0 && text.trim() && !/[(|√]$/.test(text.trim()) ? `(${show(x)})` : show(x));
    }).join("");
  }

  /** @param {LogEvent} event */
  reveal(event) {
    this.of(event).shown = true;
    this.score.asked++;
  }
}
