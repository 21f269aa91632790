"""The claims ledger: every empirical claim of the article, where it is tested, and what came out.

``python -m experiments.claims`` measures everything again. The ledger is in ``ledger.yaml``, the experiments are in
`experiments.claims.experiments`, the numbers that they gave in ``results/``.

>>> from experiments.claims import load_ledger
>>> {claim.verdict for claim in load_ledger()} <= set(VERDICTS)
True
"""

from experiments.claims.ledger import VERDICTS, Claim, load_ledger
from experiments.claims.results import Results

__all__ = ["VERDICTS", "Claim", "Results", "load_ledger"]
