"""Whatever an answer does (never ends, prints without end, ends Python, replaces NumPy), the session goes on."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from exercises import get, sandbox
from exercises.authoring import Check, close
from exercises.definition import load
from exercises.grading import grade
from exercises.sandbox import Clock, Originals, Printed, TimeUp

forks = pytest.mark.skipif(not sandbox.can_fork(), reason="needs a system that can fork safely")


def graded(exercise, body, **options):
    source = "import os, sys, threading, time\ndef halve(values):\n    " + body.replace("\n", "\n    ")
    return grade(exercise, load(source, exercise.answer, exercise.setup), **options)


def forever():
    while True:
        pass


# Time


def test_only_the_students_code_is_timed(toy_with):
    def slow_check(halve):
        end = time.thread_time() + 0.5
        while time.thread_time() < end:
            pass
        close(halve(4.0), 2.0, "half")

    result = graded(toy_with(time_limit=0.2, checks=[Check("slow", 1, slow_check)]), "return values / 2")
    assert result.status == "right", repr(result)


def test_calls_share_one_limit(toy_with):
    def many(halve):
        for _ in range(1000):
            halve(4.0)

    body = "end = time.thread_time() + 0.05\nwhile time.thread_time() < end: pass\nreturn 2.0"
    assert "still running after 0.2 seconds" in repr(
        graded(toy_with(time_limit=0.2, checks=[Check("x", 1, many)]), body)
    )


def test_waiting_is_ended_too(toy_with):
    assert "still running after 0.1 seconds" in repr(graded(toy_with(time_limit=0.1), "time.sleep(1000)"))


def test_one_overrun_ends_the_check(toy_with):
    result = graded(toy_with(time_limit=0.2), "while True: pass")
    assert [part.state for part in result.parts] == ["error", "not run"]
    assert (result.status, result.points) == ("error", 0)
    assert "[-] 0/1  negative numbers" in repr(result)
    assert "Not run" in result._repr_html_()


def test_what_passed_before_an_overrun_keeps_its_points(toy_with):
    result = graded(toy_with(time_limit=0.2), "while values[0] < 0: pass\nreturn values / 2")
    assert [part.state for part in result.parts] == ["right", "error"]
    assert (result.status, result.points) == ("partial", 2)


def test_what_a_check_needs_is_prepared_before_the_clock_runs(toy_with):
    prepared = []
    exercise = toy_with(prepare=lambda: prepared.append(time.sleep(0.5)), time_limit=0.1)
    assert graded(exercise, "return values / 2").status == "right"
    assert len(prepared) == 1


def test_an_endless_iterator_is_ended(toy_with, monkeypatch):
    monkeypatch.setattr("exercises.guard.MOST_ITEMS", 100)
    exercise = toy_with(checks=[Check("all", 1, lambda halve: list(halve(1.0)) and None)])
    assert "more than 100 items" in repr(graded(exercise, "import itertools\nreturn itertools.count()"))


def test_outside_the_main_thread_a_thread_watches(toy_with):
    found = []
    thread = threading.Thread(target=lambda: found.append(graded(toy_with(time_limit=0.2), "while True: pass")))
    thread.start()
    thread.join(60)
    assert "still running after 0.2 seconds" in repr(found[0])


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="Python 3.12 has it first")
@pytest.mark.parametrize("body", ["while True: pass", "while True:\n  try: pass\n  except BaseException: pass"])
def test_in_a_browser_a_loop_looks_at_the_clock_itself(toy_with, monkeypatch, body):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert "still running after 0.2 seconds in line 3" in repr(graded(toy_with(time_limit=0.2), body))


def test_without_signals_and_threads_nothing_is_limited(toy_with, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.delattr(sys, "monitoring", raising=False)
    result = graded(toy_with(time_limit=1e-6), "time.sleep(0.01)\nreturn values / 2", isolated=True)
    assert result.status == "right"


def test_a_clock_stands_still_between_calls():
    with Clock(0.3) as clock:
        for _ in range(3):
            with clock.running():
                pass
            time.sleep(0.2)
        with pytest.raises(TimeUp), clock.running():
            forever()


# A process of its own

ENDLESS = {
    "one call in C": "return sum(range(10**12))",
    "a loop that swallows everything": "while True:\n    try:\n        while True: pass\n    except:\n        pass",
    "a lock that nobody opens": "while True:\n    try: threading.Event().wait()\n    except BaseException: pass",
}


@forks
@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_code_that_cannot_be_interrupted_is_ended(toy_with, body):
    result = graded(toy_with(time_limit=0.2), body, isolated=True)
    assert [part.state for part in result.parts] == ["error", "not run"]
    assert "still running after 0.2 seconds" in result.feedback[0]


@forks
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("os._exit(3)", "it ended Python itself, with exit code 3"),
        ("import faulthandler\nfaulthandler.disable()\nos.kill(os.getpid(), 11)", "it made Python crash (SIGSEGV)"),
        ("values = [values]\nwhile True: values.append(np.zeros(10**7) + 1)", "MemoryError"),
        ("os.closerange(3, 1000)\nreturn values / 2", "it ended Python itself"),
    ],
)
def test_an_answer_that_ends_python_or_takes_all_the_memory_is_told_so(toy, body, sentence, monkeypatch):
    monkeypatch.setattr("exercises.child.MEMORY", 300 << 20)
    assert sentence in repr(graded(toy, body, isolated=True))


@forks
def test_in_a_child_the_result_is_the_same(toy):
    for body in ("return values / 2", "return values * 2", "print('look')\nreturn values / 7", "return ..."):
        assert repr(graded(toy, body, isolated=True)) == repr(graded(toy, body))


@forks
def test_what_an_answer_changes_stays_in_the_child(toy):
    before = os.environ.get("HALVED")
    graded(toy, "os.environ['HALVED'] = 'yes'\nreturn values / 2", isolated=True)
    assert os.environ.get("HALVED") == before


@forks
def test_threads_of_pytorch_that_stayed_behind_are_not_waited_for(toy):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch.randn(500, 500) @ torch.randn(500, 500)
        body = "import torch\ntorch.randn(500, 500) @ torch.randn(500, 500)\nreturn values / 2"
        assert graded(toy, body, isolated=True).status == "right"
    finally:
        torch.set_num_threads(before)


@forks
def test_an_interrupt_in_the_child_reaches_the_student(toy):
    with pytest.raises(KeyboardInterrupt):
        graded(toy, "raise KeyboardInterrupt", isolated=True)


# Exceptions that are none, and objects that bite

HOSTILE = {
    "an exception of its own": "class Mine(BaseException): pass\nraise Mine('gone')",
    "GeneratorExit": "raise GeneratorExit",
    "an error without a text": "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E",
    "a repr that raises": "class C:\n    def __repr__(self): raise SystemExit\nreturn C()",
    "an __array__ that raises": "class C:\n    def __array__(self, *a, **k): raise SystemExit\nreturn C()",
    "a class that lies": "class C:\n    @property\n    def __class__(self): raise GeneratorExit\nreturn C()",
    "a length that raises": "class L(list):\n    def __len__(self): raise SystemExit\nreturn L([1, 2, 3])",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_is_graded_like_any(toy, body):
    result = graded(toy, body)
    assert (result.points, result.status in ("wrong", "error")) == (0, True)
    assert result.feedback


# What is printed


def test_endless_printing_is_cut(toy):
    result = graded(toy, "for _ in range(30_000): print('a' * 100)\nreturn values / 2")
    assert len(result.printed) < 11_000
    assert "more characters" in result.printed
    assert len(repr(result)) < 5_000


def test_a_long_line_is_cut(toy):
    result = graded(toy, "print('b' * 10**7)\nreturn values / 2")
    assert max(map(len, repr(result).splitlines())) < 300
    assert len(result._repr_html_()) < 20_000


def test_what_goes_to_stderr_is_kept_too(toy, capfd):
    assert graded(toy, "print('look', file=sys.stderr)\nreturn values / 2").printed == "look\n"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("body", ["print('\\ud800')\nreturn values / 2", "raise ValueError('\\ud800')"])
def test_half_a_surrogate_pair_can_be_shown(toy, body):
    result = graded(toy, body)
    for text in (repr(result), result._repr_html_(), *result.feedback):
        text.encode("utf-8")
    assert "\\ud800" in repr(result)


def test_printed_keeps_the_beginning_and_counts_the_rest():
    printed = Printed(most=4)
    print("abc", "def", file=printed)
    assert printed.getvalue() == "abc \n... and 4 more characters"


# NumPy

PATCHED = """
np.array_equal = lambda *a, **k: True
np.abs = lambda *a, **k: np.zeros(1)
return values * 7
"""


def test_numpy_is_as_it_was_after_an_answer_that_replaces_its_functions(toy):
    functions = np.array_equal, np.abs, np.sqrt
    result = graded(toy, PATCHED.strip())
    assert (np.array_equal, np.abs, np.sqrt) == functions
    assert result.points < result.max_points
    assert any("replaces `numpy.array_equal` for everything that runs after it" in note for note in result.notes)


def test_what_the_notebook_had_replaced_before_stays(monkeypatch):
    mine = np.sum
    monkeypatch.setattr(np, "mean", mine)
    originals = Originals()
    originals.put_back()
    assert np.mean is mine
    assert originals.replaced == []


# Borrowed answers


ADAM = "from optim_lib.optimizers import Adam\n"
BORROWED = [
    ("8.3", ADAM + "MyAdam = Adam", "This is the library's own `Adam`"),
    ("8.3", ADAM + "class MyAdam(Adam): pass", "This is the library's own `Adam`"),
    (
        "8.3",
        ADAM + "class MyAdam:\n    def __init__(self, *a): self.own = Adam(*a)",
        "Your answer calls the library's `Adam`",
    ),
    ("4.2", "from torch.optim import SGD as MyMomentum", "This is PyTorch's own `SGD`"),
    ("11.3", "from optim_lib.schedules import cosine_annealing", "This is the library's own `cosine_annealing`"),
    (
        "11.3",
        "from optim_lib import schedules\ndef cosine_annealing(*a): return schedules.cosine_annealing(*a)",
        "Your answer calls the library's `cosine_annealing`",
    ),
    (
        "11.3",
        "def cosine_annealing(*a):\n    from optim_lib.schedules import cosine_annealing as its\n    return its(*a)",
        "Your answer calls the library's `cosine_annealing`",
    ),
]


@pytest.mark.parametrize(("id", "source", "sentence"), BORROWED)
def test_a_borrowed_answer_gets_no_points(id, source, sentence):
    exercise = get(id)
    result = grade(exercise, load(source, exercise.answer, exercise.setup))
    assert (result.points, result.status) == (0, "wrong")
    assert sentence in result.feedback[0]


def test_the_text_of_the_solution_is_no_answer():
    result = grade(get("8.3"), get("8.3").solution)
    assert (result.points, result.feedback[0]) == (
        0,
        "This is the text of a solution. Write the answer yourself and pass that.",
    )


def test_an_optimizer_on_the_librarys_base_class_is_an_answer_of_ones_own():
    source = """
    from optim_lib.optimizers import Optimizer
    class MySGD(Optimizer):
        def __init__(self, learning_rate=0.01):
            super().__init__()
            self.learning_rate = learning_rate
        def update(self, params, grads):
            for name in params:
                params[name] -= self.learning_rate * grads[name]
            return params
    """
    assert not grade(get("3.2"), load(source, "MySGD", "import numpy as np")).messages


WITHOUT_UNIX = """
import os, signal, sys
import filelock, joblib, numpy, platformdirs, tqdm  # others' code knows its way around; the course's is asked here
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names in (
    (os, ("fork", "geteuid", "getuid", "killpg")),
    (signal, ("setitimer", "SIGALRM", "SIGPROF", "SIGKILL", "pthread_sigmask")),
):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"
from exercises import get
from exercises.grading import grade
exercise = get("2.1")
answer = exercise.load(exercise.solution)
print(grade(exercise, answer).status, grade(exercise, answer, isolated=True).status)
from exercises.__main__ import main
sys.exit(main(["grade", sys.argv[1], "--csv", sys.argv[1] + "/s.csv", "--report", sys.argv[1] + "/r", "--jobs", "1"]))
"""


def test_a_system_without_forks_and_timers_grades_an_answer_and_says_what_a_class_needs(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.py").write_text("def mse_gradients(x, y, w, b):\n    return 0, 0\n")
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout.splitlines()[:1] == ["right right"], run.stderr
    assert "needs Linux or macOS" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
