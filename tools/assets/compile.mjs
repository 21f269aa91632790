// Compile the Python modules of a folder with the Python that will run them: node compile.mjs PYODIDE FOLDER
// A compiled module stands beside its source, and is found without it; in __pycache__ as well, for where it stays.
import { pathToFileURL } from "node:url";

const [pyodide, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${pyodide}/` });
python.FS.mkdir("/packed");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/packed");
const whole = python.runPython(`
import compileall, py_compile
all(
    compileall.compile_dir(
        "/packed", quiet=1, legacy=legacy, stripdir="/packed", prependdir="/lib/python3.12/site-packages",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    for legacy in (True, False)
)
`);
process.exit(whole ? 0 : 1);
