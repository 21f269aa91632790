"""The claims ledger: every empirical claim of the article, where it is tested, and what came out.

``python -m optim_lib.claims`` measures everything again. The ledger is in ``ledger.yaml``, the experiments are in
`optim_lib.claims.experiments`, the numbers that they gave in ``results/``.

>>> from optim_lib.claims import load_ledger
>>> {claim.verdict for claim in load_ledger()} <= set(VERDICTS)
True
"""

from optim_lib.claims.ledger import VERDICTS, Claim, load_ledger
from optim_lib.claims.results import Results

__all__ = ["VERDICTS", "Claim", "Results", "load_ledger"]
