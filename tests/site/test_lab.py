"""The figures with a kernel behind them: JupyterLab runs a student's notebook, and the sliders move the picture."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.site.support import move, picture, settle

NOTEBOOK = """\
import numpy as np
from optim_lib.explorer import explore
from optim_lib.landscapes import rosenbrock

class Mine:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for name in params:
            params[name] -= self.learning_rate * np.sign(grads[name])
        return params

figure = explore(Mine, rosenbrock, start=(-1.5, 1.5), steps=20, learning_rate=np.geomspace(1e-3, 1, 13))
figure"""
SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser) -> Iterator[str]:
    """The address of a JupyterLab with one notebook, stopped afterwards."""
    folder: Path = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(NOTEBOOK)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, folder / "mine.ipynb")
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    port = free_port()
    command = [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", f"--notebook-dir={folder}"]
    command += ["--ServerApp.token=", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--LabApp.user_settings_dir={folder / 'settings'}", f"--LabApp.workspaces_dir={folder / 'workspaces'}"]
    places = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    # The kernel is found beside this Python, not in the home folder of whoever runs the tests.
    environment = {**os.environ, **places, "OPTIM_COURSE_PROGRESS": str(folder / "progress.json")}
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api/status", folder / "lab.log")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(url: str, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def test_a_students_optimizer_runs_in_the_explorer_with_a_live_kernel(lab, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(SECONDS * 1000)
    try:
        page = context.new_page()
        page.goto(f"{lab}/lab/tree/mine.ipynb")
        page.locator(".jp-Notebook .jp-Cell .cm-content").first.wait_for()
        page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        page.keyboard.press("Control+Enter")
        page.locator(".uo-explorer[data-ready=true]").wait_for()
        figure = page.locator(".uo-figure")
        before, said = picture(figure), page.inner_text(".uo-says")
        move(figure.locator(".noUi-handle").first)
        assert picture(figure) != before
        assert page.inner_text(".uo-says") != said
        readout = page.inner_text(".uo-figure .widget-readout")
        page.locator(".uo-map").focus()
        page.keyboard.press("ArrowLeft")
        settle(page)
        page.wait_for_function("before => document.querySelector('.widget-readout').innerText !== before", arg=readout)
    finally:
        context.close()
