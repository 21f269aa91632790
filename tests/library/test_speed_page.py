"""The page on speed shows what was measured: every optimizer, what is slower in bold, what missed its aim in a list."""

from experiments import speed
from tests.library.table import OPTIMIZERS


def ratio(what, size, value, peer=speed.DEFAULT, bar=1.1):
    return {"what": what, "size": size, "peer": peer, "ours": value, "theirs": 1.0, "bar": bar, "ratio": value}


def test_the_saved_run_has_every_optimizer_at_both_small_sizes():
    measured = {(r["what"], r["size"]) for r in speed.load()}
    wanted = {(f"{optimizer.__name__}.update()", size) for optimizer in OPTIMIZERS for size in ("1e4", "1e6")}
    assert wanted <= measured


def test_what_is_slower_is_bold_and_what_was_not_measured_is_a_dash():
    html = speed.updates([ratio("SGD.update()", "1e4", 0.5), ratio("SGD.update()", "1e7", 1.25)])._repr_html_()
    assert "<b>1.25</b>" in html
    assert "<b>0.50</b>" not in html
    assert html.count(">-<") == 4


def test_a_missed_aim_is_listed_the_furthest_first():
    measured = [
        ratio("A.update()", "1e6", 1.2),
        ratio("B.update()", "1e6", 1.4, bar=1.5),
        ratio("C.update()", "1e6", 2.1, bar=None),
        ratio("D.update()", "1e6", 1.4),
    ]
    text = repr(speed.slower(measured))
    assert text.index("D.update()") < text.index("A.update()")
    assert "B.update()" not in text
    assert "C.update()" not in text
    assert "nowhere" in speed.slower(measured[1:3]).data
