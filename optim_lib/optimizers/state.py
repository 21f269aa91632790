"""What an optimizer remembers of one parameter."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


class ParameterState(SimpleNamespace):
    """What an optimizer remembers about one parameter: its step count ``t``, and an array for each slot and number.

    The arrays begin at zero, unless the rule's ``begin`` fills them; ``t`` is 1 in the first step.
    """

    def arrays(self) -> dict[str, Array]:
        return {name: value for name, value in vars(self).items() if name != "t"}
