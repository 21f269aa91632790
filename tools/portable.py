"""Run whatever is stored or compared as other processors would, and name what comes out differently.

The sums of NumPy and torch are made by kernels that are chosen for the processor at hand. They add in different
orders, so their last bits differ; a chaotic run (a rate far too large, a long training) turns a last bit into a first
digit. Nothing that the course stores, compares or says may depend on that. This tool asks for each kernel in turn, by
the variables that the libraries read, and runs

- the checked cells of every chapter, whose outputs must be those that are stored;
- every exercise: its starter, solution, accepted and wrong answers;
- the library's agreement with its peers, and the quests of the figures.

Commands::

    python -m tools.portable                          every kernel that this processor can run
    python -m tools.portable --kernels plainest       some of them
    python -m tools.portable --chapters 08 12         only these chapters' cells, no tests
    python -m tools.portable --command python -m experiments.claims c-rate --to FOLDER     under every kernel
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

from tools import notebooks

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
TESTS = (
    "tests/exercises/test_every_exercise.py",
    "tests/library/test_agreement.py",
    "tests/explorer/test_quests.py",
)


def numpy_features() -> list[str]:
    """The groups of instructions, beyond those it needs, that NumPy has code for and found here, simplest first."""
    return list(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))


@dataclass(frozen=True)
class Kernel:
    """A processor to pretend: what it stands for, the variables that ask for it, and the instructions it needs."""

    stands_for: str
    variables: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    numpy_keeps: tuple[str, ...] | None = None

    def environment(self, found: Sequence[str]) -> dict[str, str]:
        """The variables to set, where NumPy has found these groups of instructions."""
        if self.numpy_keeps is None:
            return self.variables
        disabled = " ".join(name for name in found if name not in self.numpy_keeps)
        return self.variables | ({"NPY_DISABLE_CPU_FEATURES": disabled} if disabled else {})


def openblas(core: str) -> dict[str, str]:
    return {"OPENBLAS_CORETYPE": core}


# OpenBLAS makes NumPy's matrix products, ATen, MKL and oneDNN make torch's. A small L2 cache means smaller blocks.
_TORCH_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
_TORCH_PLAIN = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41"}
X86 = {
    "SkylakeX": Kernel("processors with AVX-512", openblas("SkylakeX"), needs="X86_V4"),
    "Haswell": Kernel("AVX2, in the matrix products alone", openblas("Haswell"), needs="X86_V3"),
    "laptop": Kernel(
        "AVX2 everywhere and a small cache: most laptops",
        openblas("Haswell") | {"OPENBLAS_L2_SIZE": "512"} | _TORCH_AVX2,
        needs="X86_V3",
        numpy_keeps=("X86_V3",),
    ),
    "Sandybridge": Kernel("AVX without fused sums", openblas("Sandybridge"), needs="X86_V3"),
    "Prescott": Kernel("the oldest kernel that OpenBLAS has", openblas("Prescott"), numpy_keeps=()),
    "plainest": Kernel("no instructions that not all have", openblas("Nehalem") | _TORCH_PLAIN, numpy_keeps=()),
}
ARM = {"plainest": Kernel("any 64-bit ARM", openblas("ARMV8") | {"ATEN_CPU_CAPABILITY": "default"}, numpy_keeps=())}
ANYWHERE = {
    "default": Kernel("this processor"),
    "threads": Kernel("two threads to each product", {"OMP_NUM_THREADS": "2"}),
}


def kernels() -> dict[str, Kernel]:
    """All kernels for this kind of processor, whether or not it can run them."""
    machine = platform.machine().lower()
    return ANYWHERE | (X86 if machine in ("x86_64", "amd64") else ARM if machine in ("arm64", "aarch64") else {})


# --- within one kernel: what is in force, and the checked cells ------------------------------------------


def in_force() -> str:
    """Which kernels the libraries have really chosen in this process."""
    import torch
    from threadpoolctl import threadpool_info

    blas = {info["architecture"] for info in threadpool_info() if info.get("architecture")}
    return f"OpenBLAS {'/'.join(sorted(blas)) or 'none'}, torch {torch.backends.cpu.get_cpu_capability()}"


def _text(cell: NotebookNode) -> dict[str, str]:
    """What a cell's outputs say, by place and format."""
    said = {}
    for place, output in enumerate(cell.outputs):
        if output.output_type == "stream":
            said[f"{place} {output.name}"] = output.text
        elif output.output_type == "error":
            said[f"{place} error"] = f"{output.ename}: {output.evalue}"
        else:
            said |= {f"{place} {kind}": str(data) for kind, data in output.data.items()}
    return said


def differences(stored: NotebookNode, executed: NotebookNode) -> Iterator[str]:
    """A passage for each checked cell that gives something else than is stored: its id, and the lines that differ."""
    for old, new in zip(stored.cells, notebooks.stored_form(executed).cells, strict=True):
        if not notebooks.is_checked(old):
            continue
        before, now = _text(old), _text(new)
        if before == now:
            continue
        lines = [f"cell {old.id}"]
        readable = [key for key in before | now if not key.endswith("text/html")]
        for key in readable:
            diff = difflib.unified_diff(
                before.get(key, "").splitlines(), now.get(key, "").splitlines(), lineterm="", n=0
            )
            lines += [line for line in diff if not line.startswith(("---", "+++", "@@"))]
        if len(lines) == 1:
            lines.append("only the HTML differs")
        yield "\n    ".join(lines)


def run_chapter(path: Path) -> tuple[str, list[str], float]:
    """A chapter's name, what its checked cells gave that is not stored, and the seconds it took."""
    stored = notebooks.stored_form(notebooks.read(path))
    executed = notebooks.stored_form(stored)
    begin = time.perf_counter()
    try:
        notebooks.execute(executed, path.parent)
    except (CellExecutionError, CellTimeoutError) as error:
        return path.stem, [f"stopped: {error}"], time.perf_counter() - begin
    return path.stem, list(differences(stored, executed)), time.perf_counter() - begin


def run_cells(chosen: Sequence[str]) -> int:
    """Run the chapters whose names begin with one of `chosen` (all, if none is), two at a time; how many differ."""
    paths = [p for p in sorted(CHAPTERS.glob("*.ipynb")) if not chosen or p.stem.startswith(tuple(chosen))]
    failed = 0
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        for name, found, seconds in pool.map(run_chapter, paths):
            print(f"  {name}: {f'{len(found)} cells differ' if found else 'as stored'} ({seconds:.0f} s)", flush=True)
            for passage in found:
                print(f"    {passage}", flush=True)
            failed += bool(found)
    return failed


# --- from kernel to kernel ---------------------------------------------------------------------------


def run_under(kernel: Kernel, commands: Sequence[Sequence[str]]) -> list[int]:
    """Run commands in the kernel's environment; their exit statuses."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **kernel.environment(numpy_features())}
    return [subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode for command in commands]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.portable", description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", nargs="+", metavar="NAME", help=f"some of: {', '.join(kernels())}")
    parser.add_argument("--chapters", nargs="+", metavar="NN", help="the cells of these chapters, and no tests")
    parser.add_argument("--command", nargs=argparse.REMAINDER, help="run this in place of the cells and the tests")
    parser.add_argument("--within", metavar="JSON", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.within is not None:
        print(f"  in force: {in_force()}", flush=True)
        return min(run_cells(json.loads(options.within)), 1)
    names = options.kernels or list(kernels())
    if unknown := [name for name in names if name not in kernels()]:
        parser.error(f"--kernels must be some of {', '.join(kernels())}; got {', '.join(unknown)}")
    cells = [sys.executable, "-m", "tools.portable", "--within", json.dumps(options.chapters or [])]
    tests = [sys.executable, "-m", "pytest", "--quiet", "--numprocesses", "2", "-p", "no:cacheprovider", *TESTS]
    commands = [options.command] if options.command else [cells] if options.chapters else [cells, tests]
    verdicts = {}
    for name in names:
        kernel = kernels()[name]
        if kernel.needs and kernel.needs not in numpy_features():
            verdicts[name] = "left out: this processor cannot run it"
            continue
        print(f"\n{name} ({kernel.stands_for})", flush=True)
        begin = time.perf_counter()
        failed = any(run_under(kernel, commands))
        verdicts[name] = f"{'DIFFERS' if failed else 'the same'} ({time.perf_counter() - begin:.0f} s)"
    print()
    for name, verdict in verdicts.items():
        print(f"{name:12} {verdict}")
    return int(any(verdict.startswith("DIFFERS") for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
