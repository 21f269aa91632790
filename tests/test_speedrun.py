"""The laptop speedrun: what counts as a record, and that the records can be run again."""

import math

import pytest

from experiments import speedrun
from experiments.speedrun import SEEDS, TRACKS, beats, history, load, record, same, save

FROZEN = {"text": (2.8, 160, 16, 800), "digits": (0.25, 200, 32, 1079)}


@pytest.mark.parametrize("track", TRACKS)
def test_a_track_is_frozen(track):
    found = TRACKS[track]
    size = len(found.task.data.train.x)
    assert (found.target, found.limit, found.task.batch_size, size) == FROZEN[track]


def test_a_lucky_seed_is_no_record():
    old = [100.0] * len(SEEDS)
    assert not beats([5.0, *old[1:]], old)
    assert not beats([5.0, 5.0, *old[2:]], old)
    assert not beats([95.0] * 5 + [105.0] * 5, old)
    assert beats([95.0] * 10, old)
    assert beats([95.0] * 9 + [100.0], old)


def test_a_run_that_does_not_arrive_is_the_worst_there_is():
    old = [100.0] * len(SEEDS)
    assert not beats([math.inf] * 10, old)
    assert beats(old, [math.inf] * 10)
    assert not beats([50.0] * 9 + [math.inf], old)
    assert not beats([math.inf] * 10, [math.inf] * 10)


@pytest.mark.parametrize("steps", [[90.0] * 9, [90.0] * 11, []])
def test_too_few_seeds_or_other_seeds_do_not_count(steps):
    with pytest.raises(ValueError, match="an entry needs the same 10 seeds as the record"):
        beats(steps, [100.0] * 10)


@pytest.mark.parametrize("track", TRACKS)
def test_every_entry_is_measured_and_each_record_beats_the_one_before(track):
    stored = load()[track]
    assert list(stored) == list(speedrun.entries(track))
    assert all(len(steps) == len(SEEDS) for steps in stored.values())
    records = [row.entry for row in history(track) if row.record]
    assert records[0] == "adam"
    for new, old in zip(records[1:], records, strict=False):
        assert beats(stored[new], stored[old])


@pytest.mark.parametrize("track", TRACKS)
def test_the_record_can_be_run_again(track, capsys):
    """On two seeds; last bits may move a run by a few looks at the loss."""
    assert speedrun.check(track)
    assert record(track) in capsys.readouterr().out


def test_what_counts_as_the_same_run():
    assert same(100.0, 115.0)
    assert same(10.0, 25.0)
    assert same(math.inf, math.inf)
    assert not same(100.0, 150.0)
    assert not same(math.inf, 100.0)


def test_a_new_entry_is_judged_against_the_record_of_its_time():
    """The third beats the second as little as the second beat the first: it is none."""
    names = list(speedrun.entries("digits"))[:3]
    steps = {names[0]: [100.0] * 10, names[1]: [90.0] * 10, names[2]: [90.0] * 9 + [5.0]}
    assert [row.record for row in history("digits", steps)] == [True, True, False]


def test_results_survive_a_round_trip(tmp_path):
    path = tmp_path / "speedrun.csv"
    results = {"text": {"adam": [float(5 * k) for k in range(9)] + [math.inf]}, "digits": {}}
    save(results, path)
    assert load(path) == results


def test_the_command_shows_the_records_and_refuses_an_unknown_entry(capsys):
    assert speedrun.main([]) == 0
    assert "record" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        speedrun.main(["run", "text", "nobody"])
    assert "text has no entry nobody; it has adam" in capsys.readouterr().err
