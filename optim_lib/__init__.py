"""Optimizers, and what it takes to understand them: the library of the course *Understanding Optimizers*.

Everything is where its module says (``from optim_lib.optimizers import Adam``); what is reached for most is here too,
imported when it is asked for.

>>> import optim_lib
>>> from optim_lib import Adam, descend
>>> descend(Adam(learning_rate=0.1), optim_lib.landscapes.rosenbrock, steps=5).points.shape
(6, 2)
"""

# ruff: noqa: F401, F403
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optim_lib import explorer, landscapes, measure, optimizers, plotting, tasks, training
    from optim_lib.data import *
    from optim_lib.descent import *
    from optim_lib.explorer import explore, explore_curves, race
    from optim_lib.landscapes import Landscape
    from optim_lib.measure import *
    from optim_lib.networks import *
    from optim_lib.optimizers import *
    from optim_lib.schedules import *
    from optim_lib.training import *

_MODULES = {
    "data", "descent", "explorer", "landscapes", "measure", "networks", "optimizers", "plotting", "schedules", "tasks",
    "training",
}  # fmt: skip
# All that these export is here, since they need NumPy alone; of the others, the names that are listed.
_CORE = ("optimizers", "descent", "schedules", "networks", "data", "measure")
_PLACES = {
    "landscapes": {"Landscape"},
    "explorer": {"explore", "explore_curves", "race"},
    "training": {
        "FromTorch", "History", "LogUniform", "Search", "StepCost", "TorchModel", "TorchOptimizer", "TrainingSweep",
        "Tuned", "Tuning", "Uniform", "compare", "evaluate", "step_cost", "train", "train_sweep", "tune",
    },
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"optim_lib.{name}")
    if not name.startswith("_"):
        listed = [module for module, names in _PLACES.items() if name in names]
        for module in map(importlib.import_module, (f"optim_lib.{module}" for module in listed or _CORE)):
            if listed or name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'optim_lib' has no attribute {name!r}")


def __dir__() -> list[str]:
    core = (importlib.import_module(f"optim_lib.{module}").__all__ for module in _CORE)
    return sorted(_MODULES.union(globals(), *core, *_PLACES.values()))
