// The worker: starts Python from the files that it is given, and does what the page asks, one thing after the other.
"use strict";

/** Characters that one run may print; a page with more is slow. */
const MOST_PRINTED = 200_000;
const PAUSE = 50; // milliseconds between two messages with what was printed

/** `playground.run.program`, once Python runs. @type {any} */
let program = null;
/** @type {any} */
let python = null;
/** What waits until Python runs. @type {Promise<void>} */
let started = Promise.resolve();

const printer = {
  text: "",
  printed: 0,
  sent: 0,
  decoder: new TextDecoder(),

  begin() {
    this.printed = 0;
    this.text = "";
  },

  /** @param {Uint8Array} bytes */
  write(bytes) {
    const text = this.decoder.decode(bytes, { stream: true });
    const room = MOST_PRINTED - this.printed;
    this.printed += text.length;
    if (room > 0) this.text += text.slice(0, room);
    if (performance.now() - this.sent > PAUSE) this.send();
    return bytes.length;
  },

  send() {
    if (!this.text) return;
    postMessage({ kind: "printed", text: this.text, full: this.printed > MOST_PRINTED });
    this.text = "";
    this.sent = performance.now();
  },
};

/**
 * Start Python. Everything it needs is given: nothing is fetched from anywhere.
 * @param {Record<string, Blob>} files @param {WebAssembly.Module} module
 */
async function start(files, module) {
  const address = (/** @type {string} */ name) => URL.createObjectURL(files[name]);
  // A page from a file can only start a classic worker. Pyodide tells one by importScripts, and refuses it, because some
  // browsers lack import() there; those that this page supports have it.
  Object.assign(globalThis, { importScripts: () => { throw new Error("not used"); } });
  const home = "https://files.invalid/"; // where Pyodide believes that it comes from
  const fetched = globalThis.fetch;
  globalThis.fetch = (/** @type {any} */ what, /** @type {any} */ how) =>
    String(what).startsWith(home) ? Promise.resolve(new Response()) : fetched(what, how);
  WebAssembly.instantiateStreaming = async (_, imports) => ({ module, instance: await WebAssembly.instantiate(module, imports) });
  const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([
    import(address("pyodide.mjs")),
    import(address("pyodide.asm.mjs")),
  ]);
  const lock = JSON.parse(await files["pyodide-lock.json"].text());
  python = await loadPyodide({
    indexURL: home,
    createPyodideModule,
    stdLibURL: address("python_stdlib.zip"),
    lockFileContents: { info: lock.info, packages: {} },
    stdin: () => null,
  });
  for (const stream of [python.setStdout, python.setStderr]) {
    stream.call(python, { write: (/** @type {Uint8Array} */ bytes) => printer.write(bytes), isatty: false });
  }
  const packages = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  for (const name of Object.keys(files).filter((x) => x.endsWith(".whl"))) {
    python.unpackArchive(await files[name].arrayBuffer(), "wheel", { extractDir: packages });
  }
  const folder = `${packages}/playground`;
  python.FS.mkdirTree(folder);
  python.FS.writeFile(`${folder}/run.py`, await files["run.py"].text());
  program = python.pyimport("playground.run").program;
  postMessage({ kind: "ready", version: python.runPython("import platform; platform.python_version()") });
}

/** @param {any} asked */
function answer(asked) {
  if (asked.do === "run") {
    printer.begin();
    const told = JSON.parse(program.run(asked.source, asked.lang));
    printer.send();
    postMessage({ kind: "ran", ...told });
  } else if (asked.do === "describe") {
    postMessage({ kind: "described", ...JSON.parse(program.describe(asked.lang)) });
  } else if (asked.do === "explain") {
    postMessage({ kind: "explained", leaf: asked.leaf, html: program.explain(asked.leaf, asked.lang) });
  } else if (asked.do === "check") {
    postMessage({ kind: "checked", report: JSON.parse(program.check(asked.lang)) });
  } else if (asked.do === "read") {
    postMessage({ kind: "read", name: asked.name, bytes: python.FS.readFile(`${python.FS.cwd()}/${asked.name}`) });
  }
}

onmessage = ({ data: asked }) => {
  started = started
    .then(() => (asked.do === "start" ? start(asked.files, asked.module) : answer(asked)))
    .catch((error) => postMessage({ kind: "failed", doing: asked.do, text: String(error && error.message ? error.message : error) }));
};
