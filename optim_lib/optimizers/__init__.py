"""The optimizers of the course, in order of increasing complexity."""

from optim_lib.optimizers.adam import Adam, AdamW, AMSGrad, UncorrectedAdam
from optim_lib.optimizers.adam_successors import ADOPT, AdEMAMix, CautiousAdamW
from optim_lib.optimizers.adam_variants import AdaBelief, NAdam, RAdam
from optim_lib.optimizers.adaptive import AdaGrad, CenteredRMSprop, RMSprop
from optim_lib.optimizers.averages import GradientAccumulator, WeightAverage
from optim_lib.optimizers.base import Array, Choice, Count, Hyperparameter, L2Penalty, Optimizer, ParameterState, Params
from optim_lib.optimizers.clipping import clip_by_global_norm, clip_by_value, global_norm
from optim_lib.optimizers.factored import Adafactor
from optim_lib.optimizers.groups import ParameterGroups, is_vector
from optim_lib.optimizers.hyperball import AdamHyperball, MuonHyperball
from optim_lib.optimizers.layerwise import LAMB, LARS
from optim_lib.optimizers.lookahead import Lookahead
from optim_lib.optimizers.matrix import SOAP, Muon, NorMuon, Shampoo
from optim_lib.optimizers.parameter_free import Prodigy
from optim_lib.optimizers.qk_clip import largest_logits, qk_clip
from optim_lib.optimizers.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from optim_lib.optimizers.sgd import SGD, MomentumSGD, NesterovMomentum
from optim_lib.optimizers.sign import Lion

__all__ = [
    "ADOPT",
    "LAMB",
    "LARS",
    "SGD",
    "SOAP",
    "AMSGrad",
    "AdEMAMix",
    "AdaBelief",
    "AdaGrad",
    "Adafactor",
    "Adam",
    "AdamHyperball",
    "AdamW",
    "Array",
    "CautiousAdamW",
    "CenteredRMSprop",
    "Choice",
    "Count",
    "GradientAccumulator",
    "Hyperparameter",
    "L2Penalty",
    "Lion",
    "Lookahead",
    "MomentumSGD",
    "Muon",
    "MuonHyperball",
    "NAdam",
    "NesterovMomentum",
    "NorMuon",
    "Optimizer",
    "ParameterGroups",
    "ParameterState",
    "Params",
    "Prodigy",
    "RAdam",
    "RMSprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Shampoo",
    "UncorrectedAdam",
    "WeightAverage",
    "clip_by_global_norm",
    "clip_by_value",
    "global_norm",
    "is_vector",
    "largest_logits",
    "qk_clip",
]
