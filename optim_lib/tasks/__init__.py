"""Small jobs that need no download: a dataset or a world, a model, and a metric, the same for every optimizer.

>>> from optim_lib import tasks
>>> from optim_lib.optimizers import Adam
>>> record = tasks.digits_mlp.run(Adam(learning_rate=0.003), seed=0)
>>> record
Record('digits, MLP', 340 steps: accuracy 0.978 on validation)
"""

from optim_lib.tasks.base import Record, Task
from optim_lib.tasks.control import CartPole, PolicyGradient, QLearning, cartpole_policy, cartpole_value
from optim_lib.tasks.supervised import (
    Supervised,
    char_transformer,
    digits_cnn,
    digits_mlp,
    recurrent,
    regression,
    sparse_words,
)

ALL: tuple[Task, ...] = (
    digits_mlp,
    digits_cnn,
    char_transformer,
    sparse_words,
    recurrent,
    cartpole_policy,
    cartpole_value,
    regression,
)

__all__ = [
    "ALL",
    "CartPole",
    "PolicyGradient",
    "QLearning",
    "Record",
    "Supervised",
    "Task",
    "cartpole_policy",
    "cartpole_value",
    "char_transformer",
    "digits_cnn",
    "digits_mlp",
    "recurrent",
    "regression",
    "sparse_words",
]
