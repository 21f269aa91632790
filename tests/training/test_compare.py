"""A comparison is fair, the same however it is run, and never runs twice or trusts what it should not."""

import csv
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import joblib
import numpy as np
import pytest
import torch

from optim_lib import tasks
from optim_lib.optimizers import SGD, AdaGrad, Adam, MomentumSGD
from optim_lib.schedules import cosine_annealing
from optim_lib.training import FromTorch, LogUniform, Search, Uniform, compare, step_cost
from optim_lib.training.fingerprints import fingerprint
from optim_lib.training.results import COLUMNS, Results
from optim_lib.training.runs import made_by

TASK = tasks.regression
SEARCHES = {
    "SGD": Search(SGD, learning_rate=LogUniform(0.03, 3.0)),
    "Adam": Search(Adam, learning_rate=LogUniform(0.01, 10.0), beta1=Uniform(0.5, 0.95)),
}
SMALL = {"trials": 3, "budget": 15, "tuning_seeds": (100, 101), "report_seeds": (0, 1, 2), "progress": False}


def numbers(tuning):
    """Everything but the time."""
    return {
        t.label: (
            t.setting,
            t.scores.tolist(),
            {name: values.tolist() for name, values in t.results.items()},
            [curve.tolist() for pair in t.curves for curve in pair],
        )
        for t in tuning
    }


def counting(path, base=SGD):
    """A student's class that leaves a line for each run."""

    class Counting:
        def __init__(self, learning_rate=0.1):
            self.learning_rate = learning_rate
            self.inner = base(learning_rate)
            self.begun = False

        def update(self, params, grads):
            if not self.begun:
                self.begun = True
                with open(path, "a") as file:
                    file.write("run\n")
            return self.inner.update(params, grads)

    return Counting


def runs(path):
    return path.read_text().count("run") if path.exists() else 0


# ---------------------------------------------------------------- what is compared


def test_the_setting_with_the_best_mean_validation_score_is_reported_on_other_seeds():
    result = compare(SEARCHES, TASK, **SMALL)
    for label, optimizer in (("SGD", SGD), ("Adam", Adam)):
        settings = SEARCHES[label].settings(3)
        each = [{name: values[k].item() for name, values in settings.items()} for k in range(3)]
        scores = [np.mean([TASK.run(optimizer(**s), 15, seed).score for seed in (100, 101)]) for s in each]
        np.testing.assert_array_equal(result[label].scores, scores)
        assert result[label].setting == each[int(np.argmin(scores))]
        records = [TASK.run(optimizer(**result[label].setting), 15, seed) for seed in (0, 1, 2)]
        assert result[label].results["test_score"].tolist() == [record.test_score for record in records]
        assert result[label].results["validation_score"].tolist() == [record.score for record in records]
        assert result[label].results["train_loss"].tolist() == [record.train_loss for record in records]
        np.testing.assert_array_equal(result[label].curves[1][1], records[1].scores)
        np.testing.assert_array_equal(result[label].curves[1][0], records[1].evaluated_at)


def test_higher_is_better_where_the_task_says_so_and_a_divergence_is_never_chosen():
    search = {"SGD": Search(SGD, learning_rate=[1e-6, 0.3, 1e300])}
    for task in (tasks.digits_mlp, TASK):
        result = compare(search, task, **SMALL | {"budget": 40})
        assert result["SGD"].setting == {"learning_rate": 0.3}
        assert result["SGD"].results["diverged"].tolist() == [0, 0, 0]
        assert result["SGD"].scores[2] == task.worst or not np.isfinite(result["SGD"].scores[2])


def test_a_tie_goes_to_the_lower_validation_loss():
    few = {"budget": 300, "tuning_seeds": (100,), "report_seeds": (0,)}
    result = compare(
        {"SGD": Search(SGD, learning_rate=[0.3, 0.302, 0.304, 0.306])}, tasks.digits_mlp, **SMALL | few | {"trials": 4}
    )
    scores = result["SGD"].scores
    best = np.flatnonzero(scores == scores.max())
    assert len(best) > 1  # accuracies are counts: otherwise this tests nothing
    losses = [tasks.digits_mlp.run(SGD([0.3, 0.302, 0.304, 0.306][k]), 300, 100).validation_loss for k in best]
    assert result["SGD"].setting["learning_rate"] == [0.3, 0.302, 0.304, 0.306][best[int(np.argmin(losses))]]


def test_schedule_clipping_and_measures_are_passed_on():
    measures = {"size": lambda record: float(np.abs(record.params["W1"]).max())}
    arguments = SMALL | {"trials": 1, "schedule": cosine_annealing, "clip_norm": 0.5}
    result = compare({"SGD": SEARCHES["SGD"]}, TASK, measures=measures, **arguments)["SGD"]
    record = TASK.run(SGD(**result.setting), 15, 1, schedule=cosine_annealing, clip_norm=0.5)
    assert result.results["test_score"][1] == record.test_score
    assert result.results["size"][1] == np.abs(record.params["W1"]).max()


def test_the_table_says_what_was_done_and_warns_of_an_edge():
    shown = repr(compare({"SGD": Search(SGD, learning_rate=LogUniform(1e-4, 1e-3))}, TASK, **SMALL))
    assert "test loss" in shown
    assert "ill-conditioned regression: 3 settings for each optimizer, 15 steps" in shown
    assert "SGD: the best learning_rate 0.001 is the highest tried; widen its range." in shown


def test_torchs_optimizers_and_a_students_are_compared_too(tmp_path):
    rates = LogUniform(0.03, 3.0)
    searches = {
        "ours": Search(SGD, learning_rate=rates),
        "torch": Search(FromTorch(torch.optim.SGD), learning_rate=rates),
        "mine": Search(counting(tmp_path / "runs"), learning_rate=rates),
    }
    result = compare(searches, TASK, **SMALL)
    for label in ("torch", "mine"):
        np.testing.assert_allclose(result[label].results["test_score"], result["ours"].results["test_score"], rtol=1e-9)
    assert runs(tmp_path / "runs") >= 3 * 2 + 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"report_seeds": (100,)}, ValueError, r"report_seeds must not be among tuning_seeds, but both have \[100\]"),
        ({"tuning_seeds": ()}, ValueError, "tuning_seeds must have at least one seed"),
        ({"trials": 0}, ValueError, "trials must be a whole number of at least 1, got 0"),
        ({"budget": -3}, ValueError, "budget must be a whole number of steps of at least 1, got -3"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        compare(SEARCHES, TASK, **SMALL | arguments)


# ---------------------------------------------------------------- where it runs


def test_two_at_once_give_the_numbers_of_one_at_a_time():
    assert numbers(compare(SEARCHES, TASK, n_jobs=2, **SMALL)) == numbers(compare(SEARCHES, TASK, **SMALL))


@pytest.mark.filterwarnings("default")
def test_a_dask_cluster_of_two_workers_gives_the_same_numbers(tmp_path):
    from dask.distributed import Client, LocalCluster

    local = numbers(compare(SEARCHES, TASK, **SMALL))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        with joblib.parallel_config(backend="dask"):
            there = compare(SEARCHES, TASK, cache=tmp_path / "results", **SMALL)
        ran = client.run(lambda dask_worker: dask_worker.state.transition_counter)
    assert numbers(there) == local
    assert len(ran) == 2
    assert min(ran.values()) > 0
    assert numbers(compare(SEARCHES, TASK, cache=tmp_path / "results", **SMALL)) == local


# ---------------------------------------------------------------- what is kept


def test_what_is_kept_is_not_run_again_and_is_the_same_to_the_last_bit(tmp_path):
    search = {"mine": Search(counting(tmp_path / "runs"), learning_rate=LogUniform(0.03, 3.0))}
    first = compare(search, TASK, cache=tmp_path / "kept", **SMALL)
    done = runs(tmp_path / "runs")
    assert done == 3 * 2 + 3 + 1  # and one to measure the cost of a step
    again = compare(search, TASK, cache=tmp_path / "kept", **SMALL)
    assert runs(tmp_path / "runs") == done + 1
    assert numbers(again) == numbers(first) == numbers(compare(search, TASK, **SMALL))


def test_more_of_everything_runs_only_what_is_new(tmp_path):
    search = {"mine": Search(counting(tmp_path / "runs"), learning_rate=[0.1, 0.3, 1.0])}
    compare(search, TASK, cache=tmp_path / "kept", **SMALL)
    before = runs(tmp_path / "runs")
    compare(search, TASK, cache=tmp_path / "kept", **SMALL | {"report_seeds": range(5)})
    assert runs(tmp_path / "runs") == before + 2 + 1
    for other in (
        {"budget": 16},
        {"clip_norm": 1.0},
        {"schedule": cosine_annealing},
        {"schedule": partial(cosine_annealing, min_lr=0.01)},
    ):
        before = runs(tmp_path / "runs")
        with np.errstate(all="ignore"):
            compare(search, TASK, cache=tmp_path / "kept", **SMALL | other)
        assert runs(tmp_path / "runs") == before + 10, other


def test_the_file_can_be_read_by_people_and_pandas(tmp_path):
    compare(SEARCHES, TASK, cache=tmp_path, **SMALL)
    with open(tmp_path / "ill-conditioned-regression.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * (3 * 2 + 3)
    assert {row["optimizer"] for row in rows} == {"SGD", "Adam"}
    assert {row["budget"] for row in rows} == {"15"}
    assert all(float(row["score"]) > 0 for row in rows)
    assert sorted(path.suffix for path in tmp_path.iterdir()) in ([".csv"], [".csv", ".lock"])


SCRIPT = """
import sys, time
from optim_lib import tasks
from optim_lib.training import LogUniform, Search, compare

class Slow:
    def __init__(self, learning_rate=0.1):
        self.learning_rate, self.begun = learning_rate, False

    def update(self, params, grads):
        if not self.begun:
            self.begun = True
            with open(sys.argv[2], "a") as file:
                file.write("run\\n")
            time.sleep(float(sys.argv[3]))
        for name in params:
            params[name] -= self.learning_rate * grads[name]
        return params

search = {"slow": Search(Slow, learning_rate=LogUniform(0.03, 3.0))}
result = compare(search, tasks.regression, trials=6, budget=5, report_seeds=(0, 1), progress=False, cache=sys.argv[1])
print(result["slow"].results["test_score"].tolist())
"""


def start(tmp_path, name="runs", pause=0.2):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, script, tmp_path / "kept", tmp_path / name, str(pause)]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)


def finish(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out


def test_after_a_kill_only_the_rest_is_run(tmp_path):
    whole = finish(start(tmp_path, "first"))
    for path in (tmp_path / "kept").iterdir():
        path.unlink()
    process, file = start(tmp_path), tmp_path / "kept" / "ill-conditioned-regression.csv"
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text().count("\n") > 4):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = Results(tmp_path / "kept", TASK.name).read()
    begun = runs(tmp_path / "runs")
    assert 4 <= len(kept) < 14
    assert finish(start(tmp_path)) == whole
    # 6 settings x 2 seeds and 2 reports are run once in all, but for those under way at the kill; 1 is for the cost.
    assert runs(tmp_path / "runs") - begun == 14 - len(kept) + 1
    assert len(Results(tmp_path / "kept", TASK.name).read()) == 14


ORPHANS = """
import os, sys, time
from optim_lib import tasks
from optim_lib.training import LogUniform, Search, compare

class Slow:
    def __init__(self, learning_rate=0.1):
        pass

    def update(self, params, grads):
        if os.getppid() == MAIN:  # a worker; not where the cost of a step is measured
            with open(sys.argv[1], "a") as file:
                file.write(f"{os.getpid()}\\n")
            time.sleep(300)

MAIN = os.getpid()
search = {"slow": Search(Slow, learning_rate=LogUniform(0.03, 3.0))}
compare(search, tasks.regression, trials=2, budget=5, n_jobs=2, progress=False)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks at the processes in /proc")
def test_the_workers_of_a_killed_comparison_end_too(tmp_path):
    (tmp_path / "script.py").write_text(ORPHANS)
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(tmp_path / "workers")])
    (tmp_path / "workers").touch()
    deadline = time.monotonic() + 120
    while len(workers := set((tmp_path / "workers").read_text().split())) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while any(os.path.isdir(f"/proc/{worker}") for worker in workers):
        assert time.monotonic() < deadline, "the workers go on"
        time.sleep(0.1)


def test_two_processes_at_once_share_a_file(tmp_path):
    processes = [start(tmp_path, f"runs{k}", pause=0.05) for k in range(2)]
    one, other = map(finish, processes)
    assert one == other
    rows = Results(tmp_path / "kept", TASK.name).read()
    assert len(rows) == 14
    before = runs(tmp_path / "runs0")
    assert finish(start(tmp_path, "runs0")) == one
    assert runs(tmp_path / "runs0") == before + 1


def spoil(kind, text):
    lines = text.splitlines(keepends=True)
    if kind == "a number was changed":
        column = COLUMNS.index("score")
        (values,) = csv.reader([lines[1]])
        return "".join([lines[0], lines[1].replace(values[column], "0.0", 1), *lines[2:]]).encode()
    return {
        "cut in the middle": text[: len(text) // 2].encode(),
        "empty": b"",
        "no text": bytes(range(256)) * 20,
        "another header": ("a,b\n" + "".join(lines[1:])).encode(),
        "a quote too many": ("".join([*lines[:2], '"' + lines[2], *lines[3:]])).encode(),
        "zeros at the end": text.encode()[:-40] + bytes(40),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "cut in the middle", "empty", "no text", "a number was changed", "another header", "a quote too many",
        "zeros at the end",
    ],
)  # fmt: skip
def test_a_spoiled_file_costs_only_what_was_spoiled_and_never_gives_a_wrong_number(tmp_path, kind):
    first = compare(SEARCHES, TASK, cache=tmp_path, **SMALL)
    file = tmp_path / "ill-conditioned-regression.csv"
    whole = file.read_text()
    file.write_bytes(spoiled := spoil(kind, whole))
    with pytest.warns(UserWarning, match="that cannot be trusted"):
        again = compare(SEARCHES, TASK, cache=tmp_path, **SMALL)
    assert numbers(again) == numbers(first)
    assert (tmp_path / "ill-conditioned-regression.damaged.csv").read_bytes() == spoiled
    seconds = COLUMNS.index("seconds")
    tables = (
        [r[:seconds] + r[seconds + 1 : -1] for r in csv.reader(t.splitlines())] for t in (file.read_text(), whole)
    )
    assert next(tables) == next(tables)
    compare(SEARCHES, TASK, cache=tmp_path, **SMALL)  # without a warning


# ---------------------------------------------------------------- what decides a result


def rule(source, name="Rule"):
    space = {"np": np, "__name__": "__main__"}
    exec(textwrap.dedent(source), space)
    return space[name]


PLAIN = """
    def helper(theta): return 0.5 * theta
    FACTOR = 2.0
    class Rule:
        def update(self, params, grads):
            return {name: helper(params[name]) - FACTOR * grads[name] for name in params}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("- FACTOR", "+ FACTOR"), ("0.5", "0.25"), ("2.0", "3.0"), ("helper(params[name])", "params[name]")],
    ids=["the rule", "a function it calls", "a number it uses", "a call less"],
)
def test_a_change_of_what_is_reached_changes_the_fingerprint(old, new):
    assert fingerprint(rule(PLAIN)) == fingerprint(rule(PLAIN))
    assert fingerprint(rule(PLAIN.replace(old, new))) != fingerprint(rule(PLAIN))


def test_comments_and_docstrings_do_not_count(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    plain = "def f(x):\n    return x + 1\n"
    words = '# A comment.\ndef f(x):\n    """Words."""\n\n    return (x\n        + 1)  # more\n'
    sources = {"one_a": plain, "one_b": words, "one_c": plain.replace("+", "-")}
    prints = {}
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
        prints[name] = fingerprint(__import__(name).f)
    assert prints["one_a"] == prints["one_b"] != prints["one_c"]


def test_the_fingerprint_of_a_task_follows_its_code_data_and_numbers(monkeypatch):
    each = [fingerprint(task) for task in tasks.ALL]
    assert len(set(each)) == len(each)
    assert [fingerprint(task) for task in tasks.ALL] == each
    with monkeypatch.context() as patch:
        patch.setattr("optim_lib.tasks.control.HORIZON", 100)
        assert [fingerprint(task) != before for task, before in zip(tasks.ALL, each, strict=True)] == [
            "pole" in task.name for task in tasks.ALL
        ]
    monkeypatch.setattr("optim_lib.training.runs.batches_of", lambda *_: [slice(None)])
    assert fingerprint(tasks.digits_mlp) != each[0]
    assert fingerprint(np.arange(3)) != fingerprint(np.arange(3.0))
    assert fingerprint(partial(cosine_annealing, min_lr=0.1)) != fingerprint(partial(cosine_annealing, min_lr=0.2))
    assert fingerprint(Adam) != fingerprint(AdaGrad)
    assert fingerprint(FromTorch(torch.optim.Adam)) != fingerprint(FromTorch(torch.optim.SGD))


def test_the_fingerprint_is_the_same_in_another_process():
    """Whatever order its sets have, whatever else it has imported, and whatever this process has run before."""
    code = """
from optim_lib import tasks
from optim_lib.optimizers import Adam
from optim_lib.training.fingerprints import fingerprint
print(fingerprint(tasks.char_transformer, tasks.cartpole_value, Adam))
"""
    module = torch.nn.Linear(3, 2)
    made_by(lambda seed: module, 0)  # as a run leaves its module in the memory of `train`
    found = {fingerprint(tasks.char_transformer, tasks.cartpole_value, Adam)}
    for seed, before in (("7", ""), ("8", "import optim_lib.explorer, optim_lib.plotting, experiments.ch12")):
        command = [sys.executable, "-c", before + code]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found.add(done.stdout.strip())
    assert len(found) == 1


# ---------------------------------------------------------------- what a step costs


@pytest.mark.parametrize(
    ("optimizer", "copies"),
    [(SGD(), 0), (MomentumSGD(), 1), (AdaGrad(), 1), (Adam(), 2), (FromTorch(torch.optim.Adam)(learning_rate=0.1), 2)],
    ids=lambda value: str(value)[:20],
)
def test_the_state_of_an_optimizer_is_counted(optimizer, copies):
    params = {"W": np.ones((100, 50)), "b": np.ones(50)}
    cost = step_cost(optimizer, params)
    assert cost.parameter_bytes == 5050 * 8
    assert copies * cost.parameter_bytes <= cost.state_bytes <= copies * cost.parameter_bytes + 64
    assert cost.seconds > 0
    np.testing.assert_array_equal(params["W"], 1)
    assert not getattr(optimizer, "state", None)


def test_a_students_state_and_the_memory_of_a_moment_are_counted():
    class Mine:
        def __init__(self):
            self.learning_rate, self.v = 0.1, {}

        def update(self, params, grads):
            for name in params:
                self.v[name] = self.v.get(name, 0.0) + grads[name]
                params[name] -= self.learning_rate * self.v[name]
            return params

    size = 100_000
    cost = step_cost(Mine(), {"w": np.ones(size)})
    assert cost.state_bytes == cost.parameter_bytes == 8 * size
    assert cost.parameter_bytes <= cost.peak_bytes < 3 * cost.parameter_bytes
    slow, fast = step_cost(Adam(), {"w": np.ones(10 * size)}), step_cost(SGD(), {"w": np.ones(100)})
    assert slow.seconds > 3 * fast.seconds
