"""The tool that pretends other processors: it asks for them, leaves out what cannot run, and names what differs."""

from __future__ import annotations

import sys

import nbformat
import pytest

from tools import notebooks, portable


def checked(text: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("print(x)", id="print-x", execution_count=1)
    cell.metadata["tags"] = [notebooks.CHECKED_TAG]
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One", id="one"), cell])


def test_what_differs_is_named_by_cell_and_line():
    assert list(portable.differences(checked("a\n1.23\n"), checked("a\n1.23\n"))) == []
    (passage,) = portable.differences(checked("a\n1.23\n"), checked("a\n1.24\n"))
    assert passage.split() == ["cell", "print-x", "-1.23", "+1.24"]


def test_a_kernel_sets_what_the_libraries_read():
    plain = portable.X86["plainest"].environment(["X86_V3", "X86_V4"])
    assert plain["OPENBLAS_CORETYPE"] == "Nehalem"
    assert plain["NPY_DISABLE_CPU_FEATURES"] == "X86_V3 X86_V4"
    assert portable.X86["laptop"].environment(["X86_V3", "X86_V4"])["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"
    assert "NPY_DISABLE_CPU_FEATURES" not in portable.X86["plainest"].environment([])


def test_the_kernel_is_in_force_in_what_is_run(capfd):
    report = "import numpy as np; print('found', np.show_config(mode='dicts')['SIMD Extensions'].get('found'))"
    assert portable.main(["--kernels", "plainest", "--command", sys.executable, "-W", "error", "-c", report]) == 0
    said = capfd.readouterr().out
    assert "found None" in said or "found []" in said
    assert "the same" in said


def test_a_command_that_fails_is_a_difference(capfd):
    assert portable.main(["--kernels", "default", "--command", sys.executable, "-c", "raise SystemExit(1)"]) == 1
    assert "DIFFERS" in capfd.readouterr().out


def test_what_this_processor_cannot_run_is_left_out(monkeypatch, capfd):
    kernel = portable.Kernel("a processor of next year", needs="X86_V9")
    monkeypatch.setattr(portable, "kernels", lambda: {"next": kernel})
    assert portable.main(["--kernels", "next", "--command", sys.executable, "-c", "raise SystemExit(1)"]) == 0
    assert "left out" in capfd.readouterr().out


def test_an_unknown_kernel_is_refused(capsys):
    with pytest.raises(SystemExit):
        portable.main(["--kernels", "Z80"])
    assert "Z80" in capsys.readouterr().err
