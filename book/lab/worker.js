// Python in a worker of the page. It is asked one thing at a time: { id, method, arguments } is answered with
// { id, value }, or with { id, fatal } when Python itself is lost and the worker has to be ended; { print } is what the
// reader's code prints meanwhile, { begun: id } says that the work has started, and { fetched } counts bytes.
import { loadPyodide } from "./pyodide.mjs";

const PACKAGES = "/lib/python3.12/site-packages";
const query = new URL(import.meta.url).search;
const fetchAsIs = self.fetch.bind(self);
let fetched = 0;

// A file of the engine, counted as it comes.
async function bytesOf(name) {
  const response = await fetchAsIs(new URL(name + query, import.meta.url));
  if (!response.ok) throw new Error(`${name} could not be fetched (${response.status}).`);
  const parts = [];
  const reader = response.body.getReader();
  for (let part; !(part = await reader.read()).done; ) {
    parts.push(part.value);
    fetched += part.value.length;
    postMessage({ fetched });
  }
  return new Blob(parts);
}

// Compressed by us, so that a server which compresses nothing sends no more; one that does may have expanded it.
async function expanded(name) {
  const blob = await bytesOf(name);
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isCompressed = first === 0x1f && second === 0x8b;
  return isCompressed ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
}

// What Pyodide fetches for itself goes the same way.
const OWN = {
  "pyodide.asm.wasm": async () =>
    new Response(await expanded("pyodide.asm.wasm.gz"), { headers: { "Content-Type": "application/wasm" } }),
  "python_stdlib.zip": async () => new Response(await bytesOf("python_stdlib.zip")),
  "pyodide-lock.json": async () => new Response(await bytesOf("pyodide-lock.json")),
};
self.fetch = (resource, options) => {
  const name = String(resource.url ?? resource).split("/").pop();
  return OWN[name] ? OWN[name]() : fetchAsIs(resource, options);
};

async function start() {
  const archives = ["numpy.zip", "course.zip"].map(async (name) => (await bytesOf(name)).arrayBuffer());
  const python = await loadPyodide({ indexURL: new URL("./", import.meta.url).href, stdin: () => null });
  for (const archive of archives) python.unpackArchive(await archive, "zip", { extractDir: PACKAGES });
  const lab = python.pyimport("lab").Lab((text) => postMessage({ print: text }));
  return (method, given) => {
    const made = python.toPy(given);
    const value = lab.answer(method, made);
    const plain = value.toJs({ dict_converter: Object.fromEntries, create_proxies: false });
    value.destroy();
    made.destroy();
    return plain;
  };
}

const ask = start();
ask.catch(() => {});

self.onmessage = async ({ data: { id, method, given } }) => {
  try {
    const answer = await ask;
    postMessage({ begun: id });
    postMessage({ id, value: method ? answer(method, given) : true });
  } catch (error) {
    postMessage({ id, fatal: String(error?.message ?? error) });
  }
};
