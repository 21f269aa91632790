"""Run notebooks side by side and put them into Jupyter Book's cache, which would run them one after the other."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution

MOST_JOBS = 4
QUIET = {"extra_arguments": ["--log-level=ERROR"]}


def run_ahead(notebooks: list[Path], cache_folder: Path, timeout: int, root: Path) -> None:
    """Run those of `notebooks` that the cache does not hold, as many at a time as there are cores.

    One that fails is left to the build, which runs it again and reports the error.
    """
    cache = get_cache(cache_folder)
    missing = [path for path in notebooks if not _is_cached(cache, path)]
    if not missing:
        return
    jobs = min(len(missing), os.cpu_count() or 1, MOST_JOBS)
    # Processes of their own, started afresh: a kernel's sockets must not be inherited.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        pending = {pool.submit(_run, path, timeout): path for path in missing}
        for done in as_completed(pending):
            path, (notebook, seconds) = pending[done], done.result()
            name = path.relative_to(root)
            if notebook is None:
                print(f"  {name} failed after {seconds:.1f} s", flush=True)
                continue
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            print(f"  {name} ran in {seconds:.1f} s", flush=True)


def _read(path: Path) -> nbformat.NotebookNode:
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def _is_cached(cache, path: Path) -> bool:
    try:
        cache.match_cache_notebook(_read(path))
    except KeyError:
        return False
    return True


def _run(path: Path, timeout: int) -> tuple[nbformat.NotebookNode | None, float]:
    """The executed notebook (None if a cell failed), and the seconds that it took."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["OPTIM_COURSE_PROGRESS"] = str(Path(scratch) / "progress.json")
        result = single_nb_execution(_read(path), cwd=str(path.parent), timeout=timeout, allow_errors=False, **QUIET)
    return (None if result.err else result.nb), result.time
