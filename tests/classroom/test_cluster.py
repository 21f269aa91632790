"""The same call runs on a Dask cluster: here a local one of two workers."""

import csv
import os

import pytest

from exercises.__main__ import main
from tests.classroom.make_class import make_class

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")


def scores(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_of_two_workers_gives_the_same_scores(tmp_path):
    make_class(tmp_path / "class", 6, {9})
    for name, options in {"here": ["--jobs", "1"], "dask": ["--backend", "dask", "--jobs", "2"]}.items():
        arguments = ["grade", str(tmp_path / "class"), "--csv", str(tmp_path / name / "scores.csv")]
        assert main([*arguments, "--report", str(tmp_path / name / "report"), *options]) == 0
    assert scores(tmp_path / "dask" / "scores.csv") == scores(tmp_path / "here" / "scores.csv")
