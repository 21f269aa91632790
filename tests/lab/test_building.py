"""How Python comes into the built site: only the file that Pyodide's own lock names, or none, and that is said."""

from __future__ import annotations

import hashlib
import json

import pytest

from tools import lab

NAME = "numpy-0-cp312-wasm32.whl"
CONTENT = b"stands for a wheel"


@pytest.fixture
def pyodide(tmp_path):
    """A Pyodide whose lock names the wheel above."""
    lock = {"packages": {"numpy": {"file_name": NAME, "sha256": hashlib.sha256(CONTENT).hexdigest()}}}
    folder = tmp_path / "pyodide"
    folder.mkdir()
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder that the setting names, with a file of the wheel's name."""
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / NAME).write_bytes(CONTENT)
    monkeypatch.setenv(lab.SETTING, str(folder))
    return folder


def test_the_wheel_is_taken_from_where_the_setting_says_and_kept(pyodide, place, tmp_path, monkeypatch):
    kept = lab.numpy_wheel(pyodide, tmp_path / "cache")
    assert kept.read_bytes() == CONTENT
    monkeypatch.setenv(lab.SETTING, "/nowhere")
    assert lab.numpy_wheel(pyodide, tmp_path / "cache") == kept


@pytest.mark.parametrize("address", ["folder", "file", "address"])
def test_a_folder_a_file_or_an_address(pyodide, place, tmp_path, monkeypatch, address):
    named = {"folder": str(place), "file": str(place / NAME), "address": place.as_uri()}
    monkeypatch.setenv(lab.SETTING, named[address])
    assert lab.numpy_wheel(pyodide, tmp_path / "cache").read_bytes() == CONTENT


def test_another_file_under_the_name_is_refused_and_not_kept(pyodide, place, tmp_path):
    (place / NAME).write_bytes(b"another")
    with pytest.raises(lab.NoWheel, match="should have sha256"):
        lab.numpy_wheel(pyodide, tmp_path / "cache")
    assert not (tmp_path / "cache" / NAME).exists()


def test_a_damaged_file_in_the_cache_is_fetched_again(pyodide, place, tmp_path):
    lab.numpy_wheel(pyodide, tmp_path / "cache").write_bytes(b"cut")
    assert lab.numpy_wheel(pyodide, tmp_path / "cache").read_bytes() == CONTENT


@pytest.fixture
def no_wheel(monkeypatch):
    def refuse(*_):
        raise lab.NoWheel("there is no network")

    monkeypatch.setattr(lab, "_assemble", refuse)
    monkeypatch.delenv("LAB", raising=False)


def test_without_the_wheel_the_book_is_built_without_the_lab_and_says_so(no_wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CI", raising=False)
    assert lab.ensure(tmp_path) is False
    assert capsys.readouterr().out.strip().endswith("run Python: there is no network.")
    assert not lab.is_in(tmp_path)


def test_without_the_wheel_ci_fails(no_wheel, tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="there is no network"):
        lab.ensure(tmp_path)


def test_the_lab_is_left_out_on_purpose(no_wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LAB", "0")
    monkeypatch.setenv("CI", "true")
    (tmp_path / lab.ENGINE).mkdir()
    (tmp_path / lab.ENGINE / "manifest.json").write_text("{}")
    before = lab.key(tmp_path)
    assert lab.ensure(tmp_path) is False
    assert not lab.is_in(tmp_path)
    assert lab.key(tmp_path) != before, "the pages would not be made again"
    assert capsys.readouterr().out == ""
