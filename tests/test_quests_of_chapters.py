"""The quests of the chapters' figures: none is met in passing, and each says what it taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.plays import quests_of

CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.ipynb"))
# The largest share of a figure's settings at which a task may be done, from any one start.
MOST = 0.15

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@chapters
def test_few_settings_meet_a_task(chapter):
    shares = {
        f"{state.spec['key']}: {told['text']}": float(mask.reshape(len(mask), -1).mean(axis=1).max())
        for state, told, mask in quests_of(chapter)
        if told["kind"] == "task"
    }
    assert {task: share for task, share in shares.items() if not 0 < share <= MOST} == {}


@chapters
def test_a_reader_who_picks_settings_at_random_does_few_tasks(chapter):
    """Three tries, as a figure gives: what three random settings do of a chapter's tasks, on average."""
    masks = [mask for _, told, mask in quests_of(chapter) if told["kind"] == "task"]
    assert np.mean([1 - (1 - mask.mean()) ** 3 for mask in masks] or [0]) < 0.25


@chapters
def test_the_first_quest_of_a_figure_is_a_prediction(chapter):
    kinds = {}
    for state, told, _ in quests_of(chapter):
        kinds.setdefault(state.spec["key"], told["kind"])
    assert {key: kind for key, kind in kinds.items() if kind != "predict"} == {}


@chapters
def test_every_quest_says_what_it_taught(chapter):
    silent = [told["text"] for _, told, _ in quests_of(chapter) if not told["because"].rstrip().endswith(".")]
    assert silent == []


@chapters
def test_a_figure_does_not_ask_the_same_twice(chapter):
    ids = [(state.spec["key"], told["id"]) for state, told, _ in quests_of(chapter)]
    assert len(set(ids)) == len(ids)
