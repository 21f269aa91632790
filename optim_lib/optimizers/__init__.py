"""The optimizers of the course, in order of increasing complexity."""

from optim_lib.optimizers.adam import Adam, AdamW, AMSGrad, UncorrectedAdam
from optim_lib.optimizers.adaptive import AdaGrad, RMSprop
from optim_lib.optimizers.base import Optimizer
from optim_lib.optimizers.layerwise import LAMB, LARS
from optim_lib.optimizers.sgd import SGD, MomentumSGD, NesterovMomentum

__all__ = [
    "LAMB",
    "LARS",
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "Adam",
    "AdamW",
    "MomentumSGD",
    "NesterovMomentum",
    "Optimizer",
    "RMSprop",
    "UncorrectedAdam",
]
