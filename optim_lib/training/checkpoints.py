"""Save a run and go on from it, bit for bit: one readable .npz file, written whole or not at all."""

from __future__ import annotations

import copy
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.data import Dataset
from optim_lib.networks import MLP
from optim_lib.training.fingerprints import fingerprint


def describe(model: Any, optimizer: Any, data: Dataset, **conditions: Any) -> dict[str, str]:
    """What has to be the same for a run to be resumed: in words where they say it all, as a fingerprint where not."""
    return {
        "model": _model_words(model),
        "optimizer": fingerprint(optimizer),
        "data": f"{data!r} {fingerprint(*data.train, *data.validation)}",
        **{name: repr(value) for name, value in conditions.items()},
    }


def _model_words(model: Any) -> str:
    if type(model) is MLP:
        return f"{model!r} {model.dtype}"
    # The layers with their numbers, and the code of each; the parameters are looked at by themselves.
    return fingerprint(str(model.module), [type(layer) for layer in model.module.modules()], model.loss_function)


def optimizer_state(optimizer: Any) -> Any:
    if hasattr(optimizer, "state_dict"):
        return optimizer.state_dict()
    return copy.deepcopy(vars(optimizer))


def restore_optimizer(optimizer: Any, saved: Any) -> None:
    if hasattr(optimizer, "load_state_dict"):
        optimizer.load_state_dict(saved)
    else:
        vars(optimizer).update(saved)


def write(path: Path, content: Any) -> None:
    """Write nested dictionaries, numbers and arrays to one .npz file, whole or not at all."""
    arrays: dict[str, NDArray] = {}
    text = json.dumps(_packed(content, arrays))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, content=np.array(text), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> Any:
    try:
        with np.load(path, allow_pickle=False) as file:
            return _unpacked(json.loads(str(file["content"])), file)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"checkpoint {path} must be a file that train wrote, but it cannot be read: {error}") from None


def _packed(value: Any, arrays: dict[str, NDArray]) -> Any:
    if isinstance(value, Mapping):
        return {"dict": [[key, _packed(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_packed(item, arrays) for item in value]}
    if isinstance(value, np.ndarray | np.generic):
        name = f"array{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if value is None or isinstance(value, str | bool | int | float):
        return {"plain": value}
    raise TypeError(
        "a checkpoint holds numbers, strings, arrays and dictionaries of them; "
        f"the optimizer has a {type(value).__name__}"
    )


def _unpacked(packed: Any, arrays: Mapping[str, NDArray]) -> Any:
    ((kind, value),) = packed.items()
    if kind == "dict":
        return {key: _unpacked(item, arrays) for key, item in value}
    if kind in ("list", "tuple"):
        items = [_unpacked(item, arrays) for item in value]
        return tuple(items) if kind == "tuple" else items
    if kind == "array":
        return arrays[value]
    return arrays[value][()] if kind == "scalar" else value
