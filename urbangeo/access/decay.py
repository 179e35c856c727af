"""How much a place counts that is some minutes away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.times import check_minutes
from urbangeo.errors import InputError, UnknownNameError

__all__ = ["DECAYS", "decay_weight"]

FloatArray: TypeAlias = NDArray[np.float64]

DECAYS = ("exponential", "power", "logistic")

_FLOOR_MIN = 1.0  # a power of a shorter time would grow without bound


def decay_weight(
    decay: str, beta: float | None, midpoint: float | None
) -> Callable[[Any], FloatArray]:
    """Give the weight of a time in minutes; see :func:`urbangeo.accessibility`."""
    if decay not in DECAYS:
        raise UnknownNameError("decay", decay, DECAYS)
    if beta is None:
        raise InputError(
            f"beta is missing: the {decay} decay needs it. There is no value that fits everywhere; "
            "calibrate it on trips, or show the result for several."
        )
    rate = _positive(beta, "beta")
    if decay == "exponential":
        return lambda minutes: np.exp(-rate * minutes)
    if decay == "power":
        return lambda minutes: np.maximum(minutes, _FLOOR_MIN) ** -rate
    if midpoint is None:
        raise InputError("midpoint is missing: minutes at which the logistic decay is one half.")
    half = check_minutes(midpoint, "midpoint")

    def logistic(minutes: Any) -> FloatArray:
        # the same as 1 / (1 + exp(...)), without overflow far out
        weight: FloatArray = 0.5 * (1 - np.tanh(rate * (minutes - half) / 2))
        return weight

    return logistic


def _positive(value: object, what: str) -> float:
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not good or not np.isfinite(value) or not value > 0:  # type: ignore[operator, call-overload]
        raise InputError(f"{what} is {value!r}; a finite number above 0 is expected.")
    return float(value)  # type: ignore[arg-type]
