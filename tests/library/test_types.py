"""What the annotations promise: a checker finds nothing in a user's code, and each mistake in what is full of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_a_checker_of_types_accepts_a_users_code_and_finds_every_mistake(tmp_path):
    files = [HERE / "user_code.py", HERE / "user_mistakes.py"]
    options = ["--config-file=", "--follow-imports=silent", "--cache-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *map(str, files)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT)}, timeout=600,
    )  # fmt: skip
    found = re.findall(r"^.*?(user_\w+\.py):(\d+): error: ", done.stdout, re.MULTILINE)
    lines = files[1].read_text(encoding="utf-8").splitlines()
    wrong = {("user_mistakes.py", str(k)) for k, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    assert len(wrong) == 7
    assert set(found) == wrong, done.stdout + done.stderr


def test_the_package_says_that_it_has_types():
    assert (ROOT / "optim_lib" / "py.typed").exists()
    assert 'optim_lib = ["py.typed"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
