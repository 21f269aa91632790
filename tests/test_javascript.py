"""The scripts: formatted, linted, and their parts tested, where node is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import site_assets

ROOT = Path(__file__).parents[1]
MISSING = "No node on this machine: the scripts' own tests were not run."


@pytest.fixture(scope="module")
def node():
    if not shutil.which("npm"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_parts_of_the_scripts_do_what_they_say(node):
    run("npm", "test", "--silent")


def test_the_scripts_are_formatted_and_linted(node):
    """With the tools that package-lock.json names, which are installed once."""
    site_assets.install_tools()
    run("npm", "run", "lint", "--silent")
