"""The build does again what a change made necessary, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from jupyter_cache import get_cache

from tools import build_book, one_figure, run_chapters, site_assets

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tree(tmp_path):
    """A copy of what the build depends on, small enough to edit."""
    for name in (*build_book.CODE, *build_book.LOOK, *build_book.PAGES):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        ignore = shutil.ignore_patterns("__pycache__", "*.ipynb")
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    return tmp_path


def append(path: Path, text: str = "\n# changed\n") -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("optim_lib/descent.py", "code"),
        ("optim_lib/explorer/js/index.js", "code"),
        ("exercises/grading.py", "code"),
        ("requirements.txt", "code"),
        ("constraints.txt", "code"),
        ("book/site.css", "look"),
        ("_config.yml", "look"),
        ("chapters/index.md", "pages"),
        ("chapters/references.bib", "pages"),
    ],
)
def test_a_change_is_seen_in_its_part_alone(tree, file, part):
    before = build_book.signatures(tree)
    append(tree / file)
    after = build_book.signatures(tree)
    assert {name for name in before if before[name] != after[name]} == {part}


def test_a_renamed_file_is_a_change(tree):
    before = build_book.signatures(tree)
    (tree / "book" / "site.js").rename(tree / "book" / "other.js")
    assert build_book.signatures(tree)["look"] != before["look"]


@pytest.mark.parametrize("cache", ["optim_lib/__pycache__", "chapters/.ruff_cache", "chapters/.ipynb_checkpoints"])
def test_what_tools_leave_behind_is_no_change(tree, cache):
    before = build_book.signatures(tree)
    (tree / cache).mkdir(exist_ok=True)
    (tree / cache / "x").write_bytes(b"1")
    assert build_book.signatures(tree) == before


@pytest.fixture
def built(tmp_path):
    """A folder that looks like a finished build."""
    for folder in (".jupyter_cache", ".doctrees", "html"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.html").write_text("x")
        (tmp_path / folder / "searchindex.js").write_text("x")
    (tmp_path / "signatures.json").write_text(json.dumps({"code": "c", "look": "l", "pages": "p"}))
    return tmp_path


@pytest.mark.parametrize(
    ("new", "kept"),
    [
        ({"code": "c", "look": "l", "pages": "new"}, {".jupyter_cache", ".doctrees", "html"}),
        ({"code": "c", "look": "new", "pages": "p"}, {".jupyter_cache"}),
        ({"code": "new", "look": "l", "pages": "p"}, set()),
    ],
)
def test_only_what_a_change_made_stale_is_dropped(built, new, kept):
    build_book._drop_what_changed(built, new)
    assert {folder for folder in (".jupyter_cache", ".doctrees", "html") if (built / folder).exists()} == kept


def test_pages_of_a_build_that_was_stopped_are_dropped(built):
    """Sphinx would look for the index that it writes last, and warn, which ends the build."""
    same = {"code": "c", "look": "l", "pages": "p"}
    (built / "html" / "searchindex.js").unlink()
    build_book._drop_what_changed(built, same)
    assert not (built / "html").exists()
    assert not (built / ".doctrees").exists()


def test_an_unfinished_build_is_not_current(built, monkeypatch):
    now = {"code": "new", "look": "l", "pages": "p"}
    monkeypatch.setattr(build_book, "signatures", lambda: now)
    build_book._drop_what_changed(built, now)
    (built / "html").mkdir()
    (built / "html" / "index.html").write_text("half")
    assert not build_book.is_current(built)


@pytest.mark.parametrize("memory", ["", "{", "[]"])
def test_broken_memory_of_a_build_means_building_again(built, memory):
    (built / "signatures.json").write_text(memory)
    assert not build_book.is_current(built)


def test_every_chapter_is_in_the_table_of_contents():
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    listed = [entry["file"] for part in parts for entry in part["chapters"]]
    stored = sorted(f"chapters/{path.stem}" for path in (ROOT / "chapters").glob("*.ipynb"))
    assert [file for file in listed if re.match(r"chapters/\d", file)] == stored


def test_make_help_has_a_line_for_each_command():
    # As from a shell: a make that runs these tests must not add its own lines.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    commands = {line.split()[1]: line for line in lines}
    assert set(commands) == {
        "help",
        "book",
        "test",
        "serve",
        "pdf",
        "epub",
        "lab",
        "bench",
        "claims",
        "portable",
        "constraints",
        "clean",
    }
    assert len(lines) == len(commands)
    assert all(len(line) <= 100 for line in lines)


def test_a_machine_without_node_gets_one_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(site_assets.shutil, "which", lambda name: None)
    node = site_assets.find_node(tmp_path / "node-wheel")
    for command in (node.node, node.npm):
        assert command[0].is_relative_to(tmp_path)
        assert site_assets.run([*command, "--version"], tmp_path).strip()


def test_a_machine_with_node_uses_it(tmp_path, monkeypatch):
    monkeypatch.setattr(site_assets.shutil, "which", lambda name: f"{tmp_path}/bin/{name}")
    node = site_assets.find_node(tmp_path / "node-wheel")
    assert (node.node, node.npm) == ([f"{tmp_path}/bin/node"], [f"{tmp_path}/bin/npm"])


def test_the_lock_file_names_no_host():
    text = (site_assets.LOCKED / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in text
    assert "resolved" not in text
    assert "://" not in text


# --- running chapters ahead -----------------------------------------------------------------------


def notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


def test_chapters_are_run_ahead_once_and_a_failing_one_is_left_to_the_build(tmp_path, capsys):
    good = notebook(tmp_path / "good.ipynb", "import os", "print(os.environ['OPTIM_COURSE_PROGRESS'], 6 * 7)")
    bad = notebook(tmp_path / "bad.ipynb", "1 / 0")
    run_chapters.run_ahead([good, bad], tmp_path / "cache", 60, tmp_path)
    printed = capsys.readouterr().out
    assert re.search(r"good.ipynb ran in [\d.]+ s", printed)
    assert "bad.ipynb failed" in printed
    cache = get_cache(tmp_path / "cache")
    cached = cache.get_cache_bundle(cache.match_cache_notebook(nbformat.read(good, 4)).pk).nb
    assert "42" in cached.cells[1].outputs[0].text
    assert os.environ["OPTIM_COURSE_PROGRESS"] not in cached.cells[1].outputs[0].text
    run_chapters.run_ahead([good], tmp_path / "cache", 60, tmp_path)
    assert capsys.readouterr().out == "", "what the cache holds is not run again"


def test_the_notebooks_of_the_book_are_found():
    found = build_book.notebooks_of(ROOT / "_toc.yml")
    assert found == sorted(found)
    assert {path.name for path in found} == {path.name for path in (ROOT / "chapters").glob("*.ipynb")}


def test_one_figure_can_be_opened_alone():
    figure = one_figure.figure_of(
        "explore(Adam, landscapes.rosenbrock, learning_rate=np.geomspace(0.01, 1, 5), steps=5)"
    )
    html = one_figure.page(figure, dark=True)
    assert 'data-theme="dark"' in html
    assert f'data-figure="{figure.state.spec["key"]}"' in html
    with pytest.raises(TypeError, match="it made int"):
        one_figure.figure_of("1 + 1")
