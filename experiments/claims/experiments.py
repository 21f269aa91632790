"""One short experiment for each claim of the ledger; deterministic, and all in well under half an hour of one core.

Those of a chapter's claims are in the module of that name. Where the chapter has the experiment, it is called, not
copied. What is tuned is tuned alike: the same number of settings for everyone, chosen on validation with seeds that are
not reported.
"""

from experiments.claims import ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08, ch09, ch10, ch11, ch12  # noqa: F401
from experiments.claims.registry import EXPERIMENTS, contest, keeping_runs, tests

__all__ = ["EXPERIMENTS", "contest", "keeping_runs", "tests"]
