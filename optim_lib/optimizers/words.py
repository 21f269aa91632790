"""A word to whoever uses the names of another library."""

from __future__ import annotations

from collections.abc import Iterable

# How torch.optim, optax and keras call what has another name here.
OTHER_NAMES = {
    "lr": ("learning_rate",),
    "step_size": ("learning_rate",),
    "betas": ("beta1", "beta2"),
    "b1": ("beta1",),
    "b2": ("beta2",),
    "beta_1": ("beta1",),
    "beta_2": ("beta2",),
    "eps": ("epsilon",),
    "alpha": ("decay",),
    "rho": ("decay",),
    "wd": ("weight_decay",),
    "trust_coeff": ("trust_coefficient",),
}
# What is an argument there, and a class of its own here.
OTHER_CLASSES = {
    "momentum": "MomentumSGD",
    "nesterov": "NesterovMomentum",
    "dampening": "MomentumSGD",
    "centered": "CenteredRMSprop",
    "amsgrad": "AMSGrad",
    "weight_decay": "AdamW",
}


def about_arguments(owner: type, names: Iterable[str]) -> str:
    """What to write in place of the arguments that a class does not have, or nothing."""
    fields, found = owner.hyperparameters(), []
    for name in (name for name in names if name not in fields):
        ours = [other for other in OTHER_NAMES.get(name, ()) if other in fields]
        if ours:
            found.append(f"{' and '.join(ours)} {'is the name' if len(ours) == 1 else 'are the names'} here")
        elif name in OTHER_CLASSES:
            found.append(f"{name} is what the class {OTHER_CLASSES[name]} is for")
    for name in _declared_without_field(owner):
        field = f"{name}: float = Hyperparameter(default=...)"
        found.append(f"{name} is no hyperparameter of {owner.__name__} until it is declared as {field}")
    return "".join(f"; {words}" for words in found)


def _declared_without_field(owner: type) -> list[str]:
    """What a class has under a plain name, a number or a mere annotation, where a field was probably meant."""
    ancestry = [each.__name__ for each in owner.__mro__]
    names: list[str] = []
    for each in owner.__mro__[: ancestry.index("Optimizer")]:
        names += [name for name, value in vars(each).items() if type(value) in (int, float)]
        noted = vars(each).get("__annotations__", {})
        names += [name for name, kind in noted.items() if "ClassVar" not in str(kind)]
    fields = owner.hyperparameters()
    return [name for name in dict.fromkeys(names) if name not in fields and not name.startswith("_")]
