"""What times mean: opportunities within reach, weighted by time, the nearest, catchments.

Every measure is a sum over the times that :func:`urbangeo.travel_times` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.decay import decay_weight
from urbangeo.access.opportunities import Opportunities, column_amounts, labels_at
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.times import check_direction, check_minutes
from urbangeo.errors import InputError, UnknownNameError
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, Network, check_modes, check_network

__all__ = ["LUO_QI_2009", "MEASURES", "accessibility"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MEASURES = ("cumulative", "gravity", "nearest", "e2sfca")
LUO_QI_2009 = ((10.0, 1.0), (20.0, 0.68), (30.0, 0.22))
"""Zones of the enhanced two-step floating catchment area: up to so many minutes, weight (Luo and
Qi 2009, the weights of their slower decay)."""


def accessibility(
    net: Network,
    opportunities: PlaceLike,
    origins: PlaceLike | None = None,
    measure: str = "cumulative",
    *,
    size: str | None = None,
    population: str | None = None,
    cutoff: float | Sequence[float] | None = None,
    decay: str = "exponential",
    beta: float | None = None,
    midpoint: float | None = None,
    k: int = 1,
    zones: Sequence[tuple[float, float]] = LUO_QI_2009,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> pd.DataFrame:
    """Measure how well places can get at opportunities.

    Parameters
    ----------
    net
        The network.
    opportunities
        Places that offer something: schools, hospitals, jobs.
    origins
        Places to measure; every node of the network if None.
    measure
        ``cumulative``: the opportunities within ``cutoff``. ``gravity``: all of them, weighted by
        ``decay``. ``nearest``: minutes to the ``k`` nearest, and which they are. ``e2sfca``: the
        enhanced two-step floating catchment area.
    size
        Column of ``opportunities`` that holds how much each offers; one each if None. Those of
        size 0 offer nothing, and are nobody's nearest.
    population
        Column of ``origins`` that holds the people of each; ``e2sfca`` needs it.
    cutoff
        Minutes, inclusive; ``cumulative`` needs one or several, ``gravity`` and ``nearest`` may
        have one.
    decay, beta, midpoint
        For ``gravity``, with minutes ``t``: ``exponential`` ``exp(-beta t)``; ``power``
        ``max(t, 1)**-beta``; ``logistic`` ``1 / (1 + exp(beta (t - midpoint)))``.
    k
        How many nearest.
    zones
        For ``e2sfca``: pairs of minutes (ascending, inclusive) and weight (descending).
    direction
        ``to`` the opportunities (default), or ``from`` them.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.DataFrame
        On the index of ``origins``, or the nodes' ids. ``cumulative``: a column ``within_30`` for
        each cutoff. ``gravity``: ``gravity``. ``nearest``: ``minutes_1``, ``nearest_1`` (label in
        ``opportunities``, None where none is reached) and so on. ``e2sfca``: ``e2sfca``,
        what is offered per person. ``.attrs["unsnapped"]`` holds the labels of opportunities that
        found no way onto the network; those of ``e2sfca`` that no person can reach, whose ratio
        would be without bound and which give nothing to anybody, stand in ``.attrs["unserved"]``.

    Raises
    ------
    InputError
        If there is no opportunity, an amount is negative or missing, or a parameter that the
        measure needs is missing or out of range.
    UnknownNameError
        If the measure or decay is not known.

    Notes
    -----
    Gravity: Hansen (1959). E2SFCA: Luo and Qi (2009); ``R = size / sum(population x weight)`` of
    each opportunity, then ``sum(R x weight)`` for each place. A place without people has access
    like any other, it only demands nothing.
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    chosen = check_modes(modes)
    check_network(net)
    check_direction(direction)
    offered = as_points(opportunities, "opportunities")
    amount = column_amounts(offered, size, "opportunities")
    begin = None if origins is None else as_points(origins, "origins")
    if begin is not None:
        check_inside(begin, net, "origins")
    cuts = _cutoffs(cutoff, measure)
    limit = max(cuts) * MS if cuts else np.inf
    if measure == "e2sfca":
        checked = _zones(zones)
        limit = checked[-1][0] * MS
    field = Opportunities(net, chosen, direction, begin, offered, float(np.round(limit)))
    useful = np.flatnonzero(amount > 0)
    if measure == "cumulative":
        made = _cumulative(field, amount, useful, cuts)
    elif measure == "gravity":
        made = _gravity(field, amount, useful, decay_weight(decay, beta, midpoint))
    elif measure == "nearest":
        made = _nearest(field, useful, k)
    else:
        if begin is None or population is None:
            raise InputError(
                "e2sfca needs origins= and population=, the column that holds their people."
            )
        made = _e2sfca(field, amount, useful, column_amounts(begin, population, "origins"), checked)
    made.attrs |= {"unsnapped": field.unsnapped, "network": dict(net.describe())}
    return made


def _cutoffs(cutoff: float | Sequence[float] | None, measure: str) -> list[float]:
    if cutoff is None:
        if measure == "cumulative":
            raise InputError("cutoff is missing: within how many minutes are they counted?")
        return []
    one = isinstance(cutoff, str | int | float | np.number)
    given: list[Any] = [cutoff] if one else list(cutoff)  # type: ignore[arg-type]
    if not given or (len(given) > 1 and measure != "cumulative"):
        raise InputError(f"cutoff is {cutoff!r}; one number of minutes is expected for {measure}.")
    return [check_minutes(each, "cutoff") for each in given]


def _zones(zones: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    made = [(check_minutes(edge, "a zone's minutes"), float(share)) for edge, share in zones]
    edges, weights = [edge for edge, _ in made], [share for _, share in made]
    ascending = all(a < b for a, b in pairwise(edges))
    descending = all(a >= b for a, b in pairwise(weights))
    if not made or not ascending or not descending or not all(0 < w <= 1 for w in weights):
        raise InputError(
            f"zones are {list(zones)!r}; pairs of minutes, ascending, and weight, descending from "
            "at most 1 and above 0, are expected."
        )
    return made


def _cumulative(
    field: Opportunities, amount: FloatArray, useful: IntArray, cuts: list[float]
) -> pd.DataFrame:
    sums = np.zeros((len(cuts), len(field)))
    for row, origin, minutes in field.pairs(useful):
        for place, cut in enumerate(cuts):
            if len(cuts) == 1:  # everything that was found is within it
                near, far = origin, row
            else:
                within = minutes <= round(cut * MS) / MS
                near, far = origin[within], row[within]
            sums[place] += np.bincount(near, weights=amount[far], minlength=len(field))
    return pd.DataFrame(
        {f"within_{cut:g}": sums[place] for place, cut in enumerate(cuts)}, index=field.index
    )


def _gravity(
    field: Opportunities, amount: FloatArray, useful: IntArray, weigh: Callable[[Any], FloatArray]
) -> pd.DataFrame:
    total = np.zeros(len(field))
    for row, origin, minutes in field.pairs(useful):
        total += np.bincount(origin, weights=amount[row] * weigh(minutes), minlength=len(field))
    return pd.DataFrame({"gravity": total}, index=field.index)


def _nearest(field: Opportunities, useful: IntArray, k: int) -> pd.DataFrame:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= len(useful):
        raise InputError(
            f"k is {k!r}; a whole number from 1 to the number of opportunities, {len(useful)}, is "
            "expected."
        )
    best = np.full((k, len(field)), np.inf)
    which = np.full((k, len(field)), -1, dtype=np.int64)
    for some, minutes in field.dense(useful):
        every = np.concatenate([best, minutes])
        owner = np.concatenate([which, np.broadcast_to(some[:, None], minutes.shape)])
        # stable: of equally near ones the first of the table
        order = np.argsort(every, axis=0, kind="stable")[:k]
        best = np.take_along_axis(every, order, axis=0)
        which = np.take_along_axis(owner, order, axis=0)
    labels = field.opportunities.index.to_numpy(dtype=object)
    made: dict[str, Any] = {}
    for place in range(k):
        reached = np.isfinite(best[place])
        made[f"minutes_{place + 1}"] = np.where(reached, best[place], np.nan)
        made[f"nearest_{place + 1}"] = labels_at(labels, which[place], reached, field.index)
    return pd.DataFrame(made, index=field.index)


def _e2sfca(
    field: Opportunities,
    amount: FloatArray,
    useful: IntArray,
    persons: FloatArray,
    zones: list[tuple[float, float]],
) -> pd.DataFrame:
    edges = np.array([round(minutes * MS) / MS for minutes, _ in zones])
    weights = np.array([weight for _, weight in zones])
    kept = [
        (row, origin, weights[np.searchsorted(edges, minutes)])
        for row, origin, minutes in field.pairs(useful)
    ]
    empty = np.empty(0, dtype=np.int64)
    row = np.concatenate([empty, *(one for one, _, _ in kept)])
    origin = np.concatenate([empty, *(one for _, one, _ in kept)])
    weight = np.concatenate([np.empty(0), *(one for _, _, one in kept)])
    demand = np.bincount(row, weights=persons[origin] * weight, minlength=len(amount))
    served = demand > 0
    ratio = np.divide(amount, demand, out=np.zeros(len(amount)), where=served)
    access = np.bincount(origin, weights=ratio[row] * weight, minlength=len(field))
    made = pd.DataFrame({"e2sfca": access}, index=field.index)
    alone = useful[~served[useful]]
    made.attrs["unserved"] = field.opportunities.index[alone].tolist()
    return made
