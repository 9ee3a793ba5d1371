// The playground's page: the editor, the worker in which Python runs, and the tabs that show what it made.
"use strict";

/** @typedef {{title: string, source: string}} Example */
/** @typedef {{node: number, label: string}} Leaf */
/** @typedef {{what: string, claimed: string, measured: string, error: string, verdict: string, note: string}} Row */
/** @typedef {{verdict: string, blame: string, rows: Row[]}} CheckReport */

const MOST_SHARED = 500_000; // characters of a program in a link
const LONG = 60_000; // characters from which a program is not coloured

/** @type {{examples: Example[], messages: Record<string, Record<string, string>>, sizes: Record<string, number>}} */
const content = JSON.parse(part("content").textContent || "");
let language = navigator.language.startsWith("zh") ? "zh" : "en";

/** @param {string} id @returns {HTMLElement} */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** The message in the language in force; for literal messages. @param {string} message */
function _(message) {
  return translated(message);
}

/** A text of an example in the language in force. @param {string} message */
function translated(message) {
  return (content.messages[language] || {})[message] || message;
}

/** A message with `{name}` replaced. @param {string} message @param {Record<string, string | number>} values */
function fill(message, values) {
  return message.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * An element with a text or children.
 * @param {string} tag @param {string} kind its class @param {...(string | Node)} children
 */
function element(tag, kind, ...children) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

const editor = {
  area: /** @type {HTMLTextAreaElement} */ (part("code")),
  wrong: 0, // the line of the error, from 1
  leaving: false, // Escape was pressed: Tab moves the focus once

  get text() {
    return this.area.value;
  },

  /** Replace the program, so that the browser's undo brings the old one back. @param {string} text */
  replace(text) {
    const before = document.activeElement;
    this.area.focus({ preventScroll: true }); // the command below needs it
    this.area.select();
    this.insert(text);
    this.area.setSelectionRange(0, 0);
    this.area.scrollTo(0, 0);
    this.mark(0);
    if (before instanceof HTMLElement && before !== this.area) before === document.body ? this.area.blur() : before.focus({ preventScroll: true });
  },

  /** @param {string} text */
  insert(text) {
    // The old command is the only one that keeps the undo history; where it is gone, the text is still inserted.
    if (!document.execCommand || !document.execCommand(text ? "insertText" : "delete", false, text)) {
      this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    }
    this.show();
  },

  /** Mark the line of an error; 0 for none. @param {number} line */
  mark(line) {
    this.wrong = line;
    this.show();
  },

  /** Move the cursor to a line. @param {number} line from 1 */
  visit(line) {
    const lines = this.text.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1] || "").length);
    this.area.scrollTop = Math.max(0, (line - 4) * 20);
  },

  show() {
    const lines = this.text.split("\n");
    const numbers = lines.map((_text, k) => (k + 1 === this.wrong ? element("span", "wrong", String(k + 1)) : String(k + 1)));
    part("numbers").replaceChildren(...numbers.flatMap((number) => [number, "\n"]));
    const pieces = this.text.length > LONG ? [this.text] : coloured(this.text);
    part("colours").replaceChildren(...pieces, "\n");
    this.scroll();
  },

  scroll() {
    const { scrollTop, scrollLeft } = this.area;
    part("numbers").style.transform = `translateY(${-scrollTop}px)`;
    part("colours").style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
  },

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Escape") {
      this.leaving = true;
      return;
    } else if (event.key === "Tab" && !this.leaving && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      this.indent(event.shiftKey);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      const before = this.text.slice(this.text.lastIndexOf("\n", this.area.selectionStart - 1) + 1, this.area.selectionStart);
      const margin = (before.match(/^ */) || [""])[0];
      this.insert("\n" + margin + (/:\s*(#.*)?$/.test(before) ? "    " : ""));
    }
    if (event.key !== "Shift") this.leaving = false;
  },

  /** @param {boolean} back */
  indent(back) {
    const { selectionStart, selectionEnd, value } = this.area;
    const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
    if (!back && selectionStart === selectionEnd) return this.insert(" ".repeat(4 - ((selectionStart - start) % 4)));
    const next = value.indexOf("\n", selectionEnd);
    const end = next < 0 ? value.length : next;
    const old = value.slice(start, end);
    const fresh = back ? old.replace(/^ {1,4}/gm, "") : old.replace(/^(?=.)/gm, "    ");
    if (fresh === old) return;
    this.area.setSelectionRange(start, end);
    this.insert(fresh);
    const at = Math.max(start, selectionStart + fresh.length - old.length);
    if (selectionStart === selectionEnd) this.area.setSelectionRange(at, at);
    else this.area.setSelectionRange(start, start + fresh.length);
  },
};

const TOKENS = new RegExp(
  [
    /(?<c>#[^\n]*)/,
    /(?<s>[rbfRBF]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))/,
    /(?<n>(?<![\w.])(?:\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+))/,
    /(?<k>(?<![\w.])(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|False|try|while|with|yield)(?!\w))/,
  ].map((pattern) => pattern.source).join("|"),
  "g",
);

/** A program as elements, coloured by kind. @param {string} text @returns {(string | Node)[]} */
function coloured(text) {
  const pieces = [];
  let end = 0;
  for (const found of text.matchAll(TOKENS)) {
    pieces.push(text.slice(end, found.index));
    const kind = Object.entries(found.groups || {}).find(([, value]) => value !== undefined);
    pieces.push(element("span", kind ? kind[0] : "", found[0]));
    end = found.index + found[0].length;
  }
  return [...pieces, text.slice(end)];
}

/** The worker and what it is doing. */
const python = {
  /** @type {Worker | null} */
  worker: null,
  /** @type {Record<string, Blob>} */
  files: {},
  /** @type {WebAssembly.Module | null} */
  module: null,
  ready: false,
  running: false,
  version: "",
  begun: 0,

  /** Get the files once, start the worker. */
  async load() {
    this.begun = performance.now();
    try {
      if (!this.module) {
        await this.fetch();
        this.module = await WebAssembly.compile(await this.files["pyodide.asm.wasm"].arrayBuffer());
      }
      this.start();
    } catch (error) {
      say(() => fill(_("Python could not be loaded: {error}"), { error: String(error) }));
    }
  },

  async fetch() {
    const names = Object.keys(content.sizes);
    const total = names.reduce((sum, name) => sum + content.sizes[name], 0);
    const size = String(Math.round(total / 1e6));
    say(() => fill(_("Loading Python, {size} MB …"), { size }));
    let loaded = 0;
    const bar = /** @type {HTMLProgressElement} */ (part("progress"));
    await Promise.all(
      names.map(async (name) => {
        const counted = new TransformStream({
          transform(/** @type {Uint8Array} */ chunk, control) {
            loaded += chunk.length;
            bar.value = Math.min(0.9, (0.9 * loaded) / total);
            control.enqueue(chunk);
          },
        });
        const stream = (await source(name)).pipeThrough(counted);
        const type = /js$/.test(name) ? "text/javascript" : "application/octet-stream";
        this.files[name] = new Blob([await new Response(stream).arrayBuffer()], { type });
      }),
    );
  },

  start() {
    const address = URL.createObjectURL(this.files["worker.js"]);
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => worker === this.worker && hear(data);
    worker.onerror = (event) => say(() => fill(_("Python could not be loaded: {error}"), { error: event.message || "?" }));
    this.worker = worker;
    worker.postMessage({ do: "start", files: this.files, module: this.module });
  },

  /** @param {Record<string, unknown>} asked */
  ask(asked) {
    if (this.worker) this.worker.postMessage({ ...asked, lang: language });
  },

  /** End what runs, and start again. */
  stop() {
    if (this.worker) this.worker.terminate();
    this.ready = this.running = false;
    waiting.clear();
    forget();
    controls();
    say(() => _("Stopped. Python starts again …"));
    this.begun = performance.now();
    this.start();
  },
};

/** A file's bytes: from this page if it is inside, else from beside it. @param {string} name @returns {Promise<ReadableStream<any>>} */
async function source(name) {
  const inside = document.getElementById(name);
  if (inside) {
    const bytes = await fetch(`data:application/octet-stream;base64,${inside.textContent}`);
    inside.remove();
    return /** @type {ReadableStream<any>} */ (bytes.body).pipeThrough(new DecompressionStream("gzip"));
  }
  const answer = await fetch(name);
  if (!answer.ok || !answer.body) throw new Error(`${name}: ${answer.status}`);
  return answer.body;
}

/** What the last run left. */
const result = {
  /** @type {any} */
  ran: null,
  seconds: 0,
  /** What has been shown already since the run, and in which language. @type {Set<string>} */
  current: new Set(),
  printed: false,
};
/** What the worker was asked for and has not answered. @type {Set<string>} */
const waiting = new Set();

/** How the status is written, again in another language. */
let written = () => "";

/** @param {() => string} text */
function say(text) {
  written = text;
  part("status").textContent = text();
}

/** @param {any} told */
function hear(told) {
  if (told.kind === "ready") {
    python.ready = true;
    python.version = told.version;
    const seconds = ((performance.now() - python.begun) / 1000).toFixed(1);
    document.documentElement.dataset.loaded = seconds;
    say(() => (shared ? _("A program from a link: read it, then press Run.") : fill(_("Ready: Python {version}, started in {seconds} s"), { version: told.version, seconds })));
    /** @type {HTMLProgressElement} */ (part("progress")).hidden = true;
    controls();
    if (first) run();
    first = false;
  } else if (told.kind === "printed") {
    printOut(told.text, told.full);
  } else if (told.kind === "ran") {
    finish(told);
  } else if (told.kind === "described") {
    waiting.delete("describe");
    controls();
    if (result.ran) Object.assign(result.ran, told);
    showLesson();
    showTab();
  } else if (told.kind === "explained") {
    waiting.delete("explain");
    controls();
    frame("explain-page", explanation(told.html), _("Explanation"));
  } else if (told.kind === "checked") {
    waiting.delete("check");
    showReport(told.report);
  } else if (told.kind === "read") {
    save(told.name, new Blob([told.bytes]));
  } else if (told.kind === "failed") {
    waiting.clear();
    if (told.doing === "run") finish({ error: { text: told.text, line: null }, last: "none", files: [], leaves: [] });
    else if (told.doing === "start") say(() => fill(_("Python could not be loaded: {error}"), { error: told.text }));
    else fail({ text: told.text, line: null });
  }
}

function run() {
  if (!python.ready || python.running) return;
  first = shared = false;
  python.running = true;
  python.begun = performance.now();
  forget();
  controls();
  say(() => _("Running …"));
  python.ask({ do: "run", source: editor.text });
}

/** Take away what the last run showed. */
function forget() {
  result.ran = null;
  result.printed = false;
  result.current.clear();
  editor.mark(0);
  part("printed").textContent = "";
  for (const id of ["printed", "error", "files"]) part(id).hidden = true;
  part("output-empty").hidden = false;
  for (const tab of TABS) part(`tab-${tab}`).classList.remove("new", "bad");
  part("shown").replaceChildren();
  document.body.classList.add("stale");
}

/** @param {string} text @param {boolean} full */
function printOut(text, full) {
  result.printed = true;
  part("output-empty").hidden = true;
  part("printed").hidden = false;
  part("printed").append(text);
  if (full) part("printed").append("\n" + _("… more was printed; it is not shown."));
}

/** The run has ended. @param {any} ran */
function finish(ran) {
  python.running = false;
  document.body.classList.remove("stale");
  result.ran = ran;
  result.seconds = (performance.now() - python.begun) / 1000;
  document.documentElement.dataset.ran = result.seconds.toFixed(3);
  controls();
  const seconds = result.seconds.toFixed(2);
  if (ran.error) {
    fail(ran.error);
    const line = ran.error.line;
    say(() => (line ? fill(_("Error in line {line}"), { line }) : _("Error")));
  } else {
    say(() => fill(_("Done in {seconds} s"), { seconds }));
  }
  const files = ran.files.map((/** @type {{name: string, size: number}} */ file) => {
    const button = element("button", "sec", `${file.name} (${Math.max(1, Math.round(file.size / 1000))} kB)`);
    button.addEventListener("click", () => python.ask({ do: "read", name: file.name }));
    return button;
  });
  part("files").replaceChildren(_("Files written:"), ...files);
  part("files").hidden = !files.length;
  if (files.length) part("output-empty").hidden = true;
  leaves();
  showLesson();
  const best = { report: "check", explanation: "explain" }[/** @type {string} */ (ran.last)];
  const chosen = ran.error || (!ran.lesson && !best) ? "output" : best || (tab === "output" || !["explain", "check"].includes(tab) ? "lesson" : tab);
  if ((result.printed || files.length) && chosen !== "output") part("tab-output").classList.add("new");
  choose(chosen);
}

/** @param {{text: string, line: number | null}} error */
function fail(error) {
  const button = part("error-line");
  button.hidden = !error.line;
  if (error.line) {
    const line = error.line;
    button.textContent = fill(_("Line {line}"), { line });
    button.onclick = () => editor.visit(line);
    editor.mark(line);
  }
  part("error-text").textContent = error.text;
  part("error").hidden = false;
  part("output-empty").hidden = true;
  part("tab-output").classList.add("bad");
  choose("output");
}

// Tabs ----------------------------------------------------------------------------------------------------------------

const TABS = ["lesson", "explain", "check", "output"];
let tab = "lesson";

/** @param {string} name */
function choose(name) {
  tab = name;
  for (const other of TABS) {
    const button = part(`tab-${other}`);
    button.setAttribute("aria-selected", String(other === name));
    button.tabIndex = other === name ? 0 : -1;
    part(other).hidden = other !== name;
  }
  if (name === "output") part("tab-output").classList.remove("new");
  showTab();
}

/** Ask the worker for what the tab shows, if that is not there yet. */
function showTab() {
  const ran = result.ran;
  if (python.running) return;
  const explained = Boolean(ran && (ran.leaves.length || ran.last === "explanation"));
  const checked = Boolean(ran && (ran.leaves.length || ran.last === "report"));
  part("explain-ask").hidden = part("explain-page").hidden = !explained;
  part("explain-empty").hidden = explained;
  part("report").hidden = !checked;
  part("check-empty").hidden = checked;
  if (tab === "lesson" && ran && ran.lesson && !result.current.has("lesson")) {
    result.current.add("lesson"); // not before the tab is seen: the page measures its texts
    frame("lesson-page", ran.lesson, _("Lesson"));
  }
  if (tab === "explain" && explained) {
    const leaf = Number(/** @type {HTMLSelectElement} */ (part("leaf")).value);
    request("explain", `explain ${leaf}`, { leaf });
  }
  if (tab === "check" && checked) request("check", "check", {});
}

/** @param {string} what @param {string} key @param {Record<string, unknown>} values */
function request(what, key, values) {
  if (result.current.has(key)) return;
  if (what === "explain") for (const old of [...result.current].filter((x) => x.startsWith(what))) result.current.delete(old);
  result.current.add(key);
  waiting.add(what);
  if (what === "check") part("report").replaceChildren(element("p", "", _("Checking …")));
  controls();
  python.ask({ do: what, ...values });
}

const byName = new Intl.Collator("en", { numeric: true });

/** The leaves to choose from, in the order of their names; first the program's own explanation. */
function leaves() {
  const ran = result.ran;
  const sorted = [...ran.leaves].sort((/** @type {Leaf} */ a, /** @type {Leaf} */ b) => byName.compare(a.label, b.label));
  const options = sorted.map((leaf) => new Option(leaf.label, String(leaf.node)));
  if (ran.last === "explanation") options.unshift(new Option(_("as in the program"), "-1"));
  part("leaf").replaceChildren(...options);
  part("leaf-label").textContent = fill(_("Derivative of {name} with respect to"), { name: ran.name || "?" });
}

function showLesson() {
  const ran = result.ran;
  const there = Boolean(ran && ran.lesson);
  part("lesson-empty").hidden = there;
  part("lesson-page").hidden = !there;
  if (!there) {
    part("shown").replaceChildren();
    return;
  }
  result.current.delete("lesson");
  const [before, after] = (ran.line ? _("Shown: {name}, assigned last, in line {line}") : _("Shown: {name}, the last expression")).split("{name}");
  part("shown").replaceChildren(before, element("b", "", ran.name), fill(after, { line: ran.line }));
}

/**
 * Show a page in a frame. The frame is a new one: Chromium shows nothing in one that was hidden when its page came.
 * @param {string} id @param {string} page @param {string} title
 */
function frame(id, page, title) {
  const before = /** @type {HTMLIFrameElement} */ (part(id));
  const shown = /** @type {HTMLIFrameElement} */ (before.cloneNode(false));
  const theme = document.documentElement.dataset.theme;
  shown.title = title;
  shown.srcdoc = theme ? page.replace(/<html\b/, `<html data-theme="${theme}"`) : page;
  before.replaceWith(shown);
}

/** An explanation as a page of its own: it comes from the program, so no script runs in it. @param {string} html */
function explanation(html) {
  const style = `:root { color-scheme: light dark; --ink: light-dark(#161b22, #edf1f6); --ink2: light-dark(#434c59, #b9c3cf); --bg: light-dark(#f5f6f8, #0e1217); }
    [data-theme="light"] { color-scheme: light; } [data-theme="dark"] { color-scheme: dark; }
    body { margin: 0; padding: 20px 28px; font: 14px/22px "Helvetica Neue", Helvetica, Arial, "Liberation Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; color: var(--ink); background: var(--bg); overflow-wrap: anywhere; }
    h3 { font-size: 20px; line-height: 28px; margin: 0 0 12px; } h4 { font-size: 13px; margin: 20px 0 6px; color: var(--ink2); }
    ul { margin: 0; padding-left: 20px; } math { font-size: 17px; } math, mi, mn, mo, mtext { font-family: inherit; } mtd { padding-block: 5px; } mi { font-style: normal; }
    .explanation > div { padding: 0 !important; } @media (max-width: 600px) { body { padding: 16px; } math { font-size: 15px; } }`;
  return `<!doctype html><html lang="${language === "zh" ? "zh-Hans" : language}"><meta charset="utf-8"><title>${_("Explanation")}</title><style>${style}</style><body>${html}</body></html>`;
}

/** @param {CheckReport | null} report */
function showReport(report) {
  controls();
  if (!report) return;
  const verdicts = { pass: _("All derivatives agree with the measured ones"), fail: _("A derivative is wrong"), inconclusive: _("Not every derivative could be measured well enough") };
  const marks = { pass: "✓", fail: "✗", inconclusive: "?" };
  const kind = /** @type {"pass" | "fail" | "inconclusive"} */ (report.verdict);
  const parts = [element("p", `verdict ${kind}`, `${marks[kind]} ${verdicts[kind]}`)];
  parts.push(element("p", "", _("gradcheck compares each derivative with one that is measured by extrapolated differences.")));
  if (report.blame) parts.push(element("p", "blame", report.blame));
  const heads = ["", _("claimed"), _("measured"), _("error of the measurement"), "", _("note")];
  const noted = report.rows.some((row) => row.note);
  const head = element("tr", "", ...heads.slice(0, noted ? 6 : 5).map((text) => element(text ? "th" : "td", "", text)));
  const rows = [...report.rows].sort((a, b) => byName.compare(a.what, b.what)).map((row) => {
    const verdict = /** @type {"pass" | "fail" | "inconclusive"} */ (row.verdict);
    const cells = [element("th", "", row.what), ...[row.claimed, row.measured, `± ${row.error}`].map((text) => element("td", "", text))];
    cells.push(element("td", verdict, `${marks[verdict]} ${{ pass: _("agrees"), fail: _("wrong"), inconclusive: _("unclear") }[verdict]}`));
    if (noted) cells.push(element("td", "note", row.note));
    return element("tr", "", ...cells);
  });
  const table = element("table", "", element("thead", "", head), element("tbody", "", ...rows));
  const scroller = element("div", "rows", table);
  scroller.tabIndex = 0;
  parts.push(scroller);
  part("report").replaceChildren(...parts);
}

/** @param {string} name @param {Blob} blob */
function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.split("/").pop() || "file";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Links ---------------------------------------------------------------------------------------------------------------

/** A program as text for a link. @param {string} text */
async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The program of a link; an error if it is damaged or too long. @param {string} text */
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let found = "";
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return found + decoder.decode();
    found += decoder.decode(value, { stream: true });
    if (found.length > MOST_SHARED) throw new Error("too long");
  }
}

async function share() {
  if (editor.text.length > MOST_SHARED) return say(() => _("This program is too long for a link."));
  const hash = `#code=${await packed(editor.text)}`;
  history.replaceState(null, "", hash);
  try {
    await navigator.clipboard.writeText(location.href);
    say(() => _("The link with this program is copied, and in the address bar."));
  } catch {
    say(() => _("The link with this program is in the address bar."));
  }
}

/** Load the program of the page's address; it runs when the person presses Run. */
async function follow() {
  const given = new URLSearchParams(location.hash.slice(1)).get("code");
  if (given === null) return false;
  try {
    editor.replace(await unpacked(given));
    shared = true;
    if (python.ready) say(() => _("A program from a link: read it, then press Run."));
  } catch {
    say(() => _("The program in this link is damaged or too long; ask for the link again."));
  }
  return true;
}

// The page ------------------------------------------------------------------------------------------------------------

let first = false; // the first example runs by itself
let shared = false; // the program came from a link, and has not run
let chosenExample = 0;

function controls() {
  const working = python.running || waiting.size > 0;
  /** @type {HTMLButtonElement} */ (part("run")).disabled = !python.ready || python.running;
  /** @type {HTMLButtonElement} */ (part("stop")).disabled = !working;
  document.documentElement.dataset.state = !python.ready ? "loading" : working ? "running" : "ready";
}

/** An example, its comments in the language in force. @param {number} k */
function example(k) {
  return content.examples[k].source.replace(/^( *# )(.+)$/gm, (_whole, mark, text) => mark + translated(text));
}

/** All texts of the page, in the language in force. */
function write() {
  const root = document.documentElement;
  root.lang = language === "zh" ? "zh-Hans" : language;
  document.title = `scalar-autograd · ${_("Playground")}`;
  part("title").replaceChildren(element("span", "", "scalar-autograd · "), _("Playground"));
  part("run").children[1].textContent = _("Run");
  part("run").title = _("Run the program (Ctrl+Enter)");
  part("stop").children[1].textContent = _("Stop");
  part("share").textContent = _("Share");
  part("examples-label").textContent = _("Examples");
  part("code-label").textContent = _("Program");
  part("tab-lesson").textContent = _("Lesson");
  part("tab-explain").textContent = _("Explain");
  part("tab-check").textContent = _("Check");
  part("tab-output").textContent = _("Output");
  part("tabs").setAttribute("aria-label", _("Results"));
  const wide = _("Results over the whole width");
  const theme = _("Light or dark");
  for (const [id, label] of [["wide", wide], ["theme", theme]]) {
    part(id).setAttribute("aria-label", label);
    part(id).title = label;
  }
  const other = language === "zh" ? "en" : "zh";
  part("language").textContent = other === "zh" ? "中文" : "English";
  part("language").lang = other;
  part("language").dataset.lang = other;
  part("language").title = other === "zh" ? "切换为中文" : "Switch to English";
  const rule = _("Shown is the last expression if it is a Value or a Log, else the Value assigned last.");
  const keys = _("Ctrl+Enter runs. Tab indents; Esc, then Tab leaves the editor.");
  const native = _("Native code (compile) and NumPy are not there.");
  part("hint").textContent = `${rule} ${native} ${keys}`;
  part("lesson-empty").replaceChildren(
    element("h2", "", _("Write Python, see every derivative")),
    element("p", "", _("Press Run. The lesson steps through the computation on its graph, forward and back; Explain writes out the chain rule; Check measures every derivative.")),
    element("p", "", rule),
    element("p", "", `${_("The engine itself runs in this page, by Pyodide: nothing is sent anywhere.")} ${native}`),
  );
  part("explain-empty").textContent = _("There is nothing to explain: the program has no Value or Log as its result.");
  part("check-empty").textContent = _("There is nothing to check: the program has no Value or Log as its result.");
  part("output-empty").textContent = _("The program has printed nothing.");
  const menu = /** @type {HTMLSelectElement} */ (part("examples"));
  menu.replaceChildren(...content.examples.map((x, k) => new Option(translated(x.title), String(k))));
  menu.value = String(chosenExample);
  part("status").textContent = written();
}

/** @param {string} name */
function speak(name) {
  const untouched = editor.text === example(chosenExample);
  language = name;
  write();
  if (untouched) editor.replace(example(chosenExample));
  if (!result.ran) return;
  result.current.clear();
  leaves();
  if (!result.ran.lesson) return showTab();
  result.current.add("lesson"); // until it comes in the other language
  waiting.add("describe");
  controls();
  python.ask({ do: "describe" });
  showTab();
}

function connect() {
  editor.area.addEventListener("input", () => editor.mark(0));
  editor.area.addEventListener("scroll", () => editor.scroll());
  editor.area.addEventListener("keydown", (event) => editor.key(event));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target !== editor.area) run();
  });
  part("run").addEventListener("click", run);
  part("stop").addEventListener("click", () => python.stop());
  part("share").addEventListener("click", share);
  part("language").addEventListener("click", () => speak(part("language").dataset.lang || "en"));
  part("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    for (const id of ["lesson-page", "explain-page"]) {
      const { srcdoc, title } = /** @type {HTMLIFrameElement} */ (part(id));
      if (srcdoc) frame(id, srcdoc.replace(/<html data-theme="\w+"/, "<html"), title);
    }
  });
  part("wide").addEventListener("click", () => part("wide").setAttribute("aria-pressed", String(document.body.classList.toggle("wide"))));
  part("examples").addEventListener("change", () => {
    chosenExample = Number(/** @type {HTMLSelectElement} */ (part("examples")).value);
    history.replaceState(null, "", location.pathname + location.search);
    editor.replace(example(chosenExample));
    run();
  });
  part("leaf").addEventListener("change", showTab);
  for (const name of TABS) part(`tab-${name}`).addEventListener("click", () => choose(name));
  part("tabs").addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -TABS.indexOf(tab), End: TABS.length - 1 - TABS.indexOf(tab) }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    choose(TABS[(TABS.indexOf(tab) + move + TABS.length) % TABS.length]);
    part(`tab-${tab}`).focus();
  });
  window.addEventListener("hashchange", follow);
}

async function begin() {
  connect();
  write();
  choose("lesson");
  controls();
  if (!(await follow())) {
    editor.replace(example(chosenExample));
    first = true;
  }
  await python.load();
}

begin();
