"""Train real models with the course's optimizers: one run, many at once, and fair comparisons.

>>> from optim_lib.data import digits
>>> from optim_lib.networks import MLP
>>> from optim_lib.optimizers import Adam
>>> history = train(MLP((64, 32, 10)), Adam(learning_rate=0.003), digits(), epochs=15)
>>> history
History(510 steps, 15 epochs; loss 0.0351 on training, 0.0949 on validation; accuracy 0.981)
"""

from typing import TYPE_CHECKING

from optim_lib.on_demand import on_demand

if TYPE_CHECKING:
    from optim_lib.training.comparing import compare
    from optim_lib.training.costs import StepCost, step_cost
    from optim_lib.training.runs import History, evaluate, global_norm, train
    from optim_lib.training.sweeps import TrainingSweep, train_sweep
    from optim_lib.training.torch_model import FromTorch, TorchModel, TorchOptimizer
    from optim_lib.training.tuning import LogUniform, Search, Tuned, Tuning, Uniform, tune

# A run needs NumPy alone; comparisons need joblib, and only they do.
__getattr__, __dir__ = on_demand(
    __name__,
    {
        "comparing": ["compare"],
        "costs": ["StepCost", "step_cost"],
        "runs": ["History", "evaluate", "global_norm", "train"],
        "sweeps": ["TrainingSweep", "train_sweep"],
        "torch_model": ["FromTorch", "TorchModel", "TorchOptimizer"],
        "tuning": ["LogUniform", "Search", "Tuned", "Tuning", "Uniform", "tune"],
    },
)

__all__ = [
    "FromTorch",
    "History",
    "LogUniform",
    "Search",
    "StepCost",
    "TorchModel",
    "TorchOptimizer",
    "TrainingSweep",
    "Tuned",
    "Tuning",
    "Uniform",
    "compare",
    "evaluate",
    "global_norm",
    "step_cost",
    "train",
    "train_sweep",
    "tune",
]
