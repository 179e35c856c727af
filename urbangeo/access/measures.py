"""What times mean: opportunities within reach, catchments, hinterlands, centrality.

Every measure is a sum over the times that :func:`urbangeo.travel_times` gives, which are searched
from the side of the opportunities, some at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve_triangular

from urbangeo.access.entries import Entries, entries
from urbangeo.access.points import PlaceLike, amounts, as_points, check_inside
from urbangeo.access.searches import reach, reach_dense
from urbangeo.access.times import (
    Asked,
    Direct,
    check_direction,
    check_minutes,
    direct_times,
    pair_times,
)
from urbangeo.errors import InputError, UnknownNameError
from urbangeo.network.graph import MS, ArcKind, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import NEVER, Snaps, snap

__all__ = [
    "DECAYS",
    "LUO_QI_2009",
    "MEASURES",
    "accessibility",
    "betweenness",
    "closeness",
    "commuting_zones",
    "hinterlands",
]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MEASURES = ("cumulative", "gravity", "nearest", "e2sfca")
DECAYS = ("exponential", "power", "logistic")
LUO_QI_2009 = ((10.0, 1.0), (20.0, 0.68), (30.0, 0.22))
"""Zones of the enhanced two-step floating catchment area: up to so many minutes, weight (Luo and
Qi 2009, the weights of their slower decay)."""

_REILLY = 2.0  # the power of distance in the law of retail gravitation (Reilly 1931)
_FLOOR_MIN = 1.0  # a power of a shorter time would grow without bound
_BLOCK_BYTES = 64 * 2**20
_MOST_SOURCES = 20_000  # centrality among more nodes would take hours


# -- what was given -----------------------------------------------------------------------------


def _amounts(table: gpd.GeoDataFrame, column: str | None, what: str) -> FloatArray:
    """Take a column of amounts, 0 or more; one each if there is none.

    Raises
    ------
    InputError
        If there is no such column, or a value is missing, negative or not finite.
    """
    if column is None:
        return np.ones(len(table))
    if column not in table.columns:
        raise InputError(
            f"{what}: there is no column {column!r}; found: {', '.join(map(str, table.columns))}."
        )
    return amounts(table[column], table["name"], f"{what}: {column}")


def _node_ids(net: Network) -> pd.Index:
    ids: pd.Index = pd.Index(net._tables.nodes["id"], name="id")
    return ids


def _positive(value: object, what: str) -> float:
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not good or not np.isfinite(value) or not value > 0:  # type: ignore[operator, call-overload]
        raise InputError(f"{what} is {value!r}; a finite number above 0 is expected.")
    return float(value)  # type: ignore[arg-type]


def _decay(decay: str, beta: float | None, midpoint: float | None) -> Callable[[Any], FloatArray]:
    """Give the weight of a time in minutes; see :func:`accessibility`."""
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


# -- times, some opportunities at a time --------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Field:
    """Times between origins, or all nodes, and opportunities."""

    net: Network
    modes: tuple[str, ...]
    direction: str
    origins: gpd.GeoDataFrame | None
    opportunities: gpd.GeoDataFrame
    limit_ms: float

    @property
    def index(self) -> pd.Index:
        if self.origins is None:
            return _node_ids(self.net)
        given: pd.Index = self.origins.index
        return given

    def __len__(self) -> int:
        return len(self.net._tables.nodes) if self.origins is None else len(self.origins)

    def _step(self, width: int) -> int:
        return max(1, _BLOCK_BYTES // (8 * max(width, 1)))

    def dense(self, rows: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
        """Some opportunities, and minutes between them and every origin; shape (some, origins)."""
        graph = self.net.graph(self.modes)
        if self.origins is None:
            snaps, every = self._snapped
            for start in range(0, len(rows), self._step(graph.n_vertices)):
                some = rows[start : start + self._step(graph.n_vertices)]
                ms = reach_dense(
                    graph, entries(snaps, every[some], leaving=self.direction == "from"),
                    reverse=self.direction == "to", limit_ms=self.limit_ms,
                )  # fmt: skip
                yield some, graph.at_nodes(ms) / MS
            return
        asked = self._asked
        assert asked is not None
        step = self._step(len(self.origins))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            near, far = asked.end[some], asked.begin
            sides = (far, near) if self.direction == "to" else (near, far)
            ms = pair_times(self.net, asked.graph, asked.snaps, asked.lonlat, *sides, self.limit_ms)
            yield some, (ms.T if self.direction == "to" else ms) / MS

    @cached_property
    def _asked(self) -> Asked | None:
        """Origins and opportunities on the graph; None where the nodes are the origins."""
        if self.origins is None:
            return None
        return Asked.of(self.net, self.origins, self.opportunities, self.modes)

    @cached_property
    def _snapped(self) -> tuple[Snaps, IntArray]:
        """How points get onto the graph, and which of them are the opportunities."""
        if self._asked is not None:
            return self._asked.snaps, self._asked.end
        snaps = snap(self.net, self.opportunities.geometry, self.modes)
        return snaps, np.arange(len(self.opportunities))

    @property
    def unsnapped(self) -> list[Any]:
        """Labels of the opportunities that find no way onto the network."""
        snaps, rows = self._snapped
        labels: list[Any] = self.opportunities.index[~snaps.snapped[rows]].tolist()
        return labels

    def pairs(self, rows: IntArray) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Opportunities, origins and minutes of the pairs within the limit, some at a time."""
        graph = self.net.graph(self.modes)
        if self.origins is not None or len(graph.layers) > 1 or np.isinf(self.limit_ms):
            for some, minutes in self.dense(rows):
                row, origin = np.nonzero(np.isfinite(minutes))
                yield some[row], origin, minutes[row, origin]
            return
        snaps, every = self._snapped
        step = self._step(2 * graph.n_vertices)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            found = reach(
                graph, entries(snaps, every[some], leaving=self.direction == "from"),
                reverse=self.direction == "to", limit_ms=self.limit_ms,
            )  # fmt: skip
            street = found.vertices < graph.n_nodes
            vertices = found.vertices[street].astype(np.int64)
            yield some[found.rows[street]], vertices, found.ms[street] / MS


# -- opportunities ------------------------------------------------------------------------------


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
    amount = _amounts(offered, size, "opportunities")
    begin = None if origins is None else as_points(origins, "origins")
    if begin is not None:
        check_inside(begin, net, "origins")
    cuts = _cutoffs(cutoff, measure)
    limit = max(cuts) * MS if cuts else np.inf
    if measure == "e2sfca":
        checked = _zones(zones)
        limit = checked[-1][0] * MS
    field = _Field(net, chosen, direction, begin, offered, float(np.round(limit)))
    useful = np.flatnonzero(amount > 0)
    if measure == "cumulative":
        made = _cumulative(field, amount, useful, cuts)
    elif measure == "gravity":
        made = _gravity(field, amount, useful, _decay(decay, beta, midpoint))
    elif measure == "nearest":
        made = _nearest(field, useful, k)
    else:
        if begin is None or population is None:
            raise InputError(
                "e2sfca needs origins= and population=, the column that holds their people."
            )
        made = _e2sfca(field, amount, useful, _amounts(begin, population, "origins"), checked)
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
    field: _Field, amount: FloatArray, useful: IntArray, cuts: list[float]
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
    field: _Field, amount: FloatArray, useful: IntArray, weigh: Callable[[Any], FloatArray]
) -> pd.DataFrame:
    total = np.zeros(len(field))
    for row, origin, minutes in field.pairs(useful):
        total += np.bincount(origin, weights=amount[row] * weigh(minutes), minlength=len(field))
    return pd.DataFrame({"gravity": total}, index=field.index)


def _nearest(field: _Field, useful: IntArray, k: int) -> pd.DataFrame:
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
        made[f"nearest_{place + 1}"] = _labels(labels, which[place], reached, field.index)
    return pd.DataFrame(made, index=field.index)


def _labels(labels: Any, rows: IntArray, good: NDArray[np.bool_], index: pd.Index) -> pd.Series:
    """Give labels by row, None where there is none; pandas would make that NaN of texts."""
    told = np.full(len(index), None, dtype=object)
    told[good] = labels[rows[good]]
    return pd.Series(told, index=index, dtype=object)


def _e2sfca(
    field: _Field,
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


# -- centres ------------------------------------------------------------------------------------


def hinterlands(
    net: Network,
    centres: PlaceLike,
    places: PlaceLike,
    *,
    size: str | None = None,
    decay: str = "power",
    beta: float = _REILLY,
    midpoint: float | None = None,
    cutoff: float | None = None,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> gpd.GeoDataFrame:
    """Find for each place its main centre, by the pull of the centres.

    Parameters
    ----------
    net
        The network.
    centres, places
        The centres, and the places that are theirs.
    size
        Column of ``centres`` that holds their mass, such as people or jobs; one each if None.
    decay, beta, midpoint
        As for :func:`accessibility`; Reilly's square of the time unless others are given.
    cutoff
        A centre farther away, minutes, does not pull; inclusive.
    direction
        ``to`` the centres or ``from`` them.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    geopandas.GeoDataFrame
        The places on their own index with ``main`` (label of the main centre in ``centres``, None
        where none pulls), ``main_name``, ``main_share`` (of all pull), ``main_min`` (minutes to
        it), ``second``, ``second_share`` and ``nearest`` (label of the nearest in time).

    Raises
    ------
    InputError
        If there is no centre or place, or a mass is negative or missing.

    Notes
    -----
    The pull is mass x decay of minutes (Reilly 1931 with the square); the share is the probability
    of Huff (1963). A time of less than a minute counts as one where a power is taken. Of equal
    pulls the first of the table is taken.
    """
    chosen = check_modes(modes)
    check_network(net)
    check_direction(direction)
    middle, asked = as_points(centres, "centres"), as_points(places, "places")
    mass = _amounts(middle, size, "centres")
    limit = np.inf if cutoff is None else round(check_minutes(cutoff, "cutoff") * MS)
    field = _Field(net, chosen, direction, asked, middle, limit)
    weigh = _decay(decay, beta, midpoint)
    minutes = np.full((len(middle), len(asked)), np.inf)
    for some, found in field.dense(np.arange(len(middle))):
        minutes[some] = found
    pull = mass[:, None] * np.where(np.isfinite(minutes), weigh(minutes), 0.0)
    total = pull.sum(axis=0)
    order = np.argsort(-pull, axis=0, kind="stable")
    columns = np.arange(len(asked))
    labels = middle.index.to_numpy(dtype=object)
    names = middle["name"].astype(str).to_numpy(dtype=object)
    clash = [one for one in _HINTERLAND if one in asked.columns]
    made = asked.rename(columns={one: f"{one}_given" for one in clash})

    def labelled(rows: IntArray, good: NDArray[np.bool_], values: Any) -> pd.Series:
        return _labels(values, rows, good, asked.index)

    for rank, what in enumerate(("main", "second")):
        if rank >= len(middle):
            nobody = np.zeros(len(asked), dtype=bool)
            made[what], made[f"{what}_share"] = labelled(columns, nobody, labels), 0.0
            continue
        rows = order[rank]
        strength = pull[rows, columns]
        pulls = strength > 0
        made[what] = labelled(rows, pulls, labels)
        share = np.divide(strength, total, out=np.zeros(len(asked)), where=total > 0)
        made[f"{what}_share"] = share
        if what == "main":
            made["main_name"] = labelled(rows, pulls, names)
            made["main_min"] = np.where(pulls, minutes[rows, columns], np.nan)
    near = minutes.argmin(axis=0)
    made["nearest"] = labelled(near, np.isfinite(minutes[near, columns]), labels)
    given = [one for one in made.columns if one not in _HINTERLAND]
    return gpd.GeoDataFrame(made[[*given, *_HINTERLAND]], geometry="geometry")


_HINTERLAND = (
    *("main", "main_name", "main_share", "main_min", "second", "second_share", "nearest"),
)


def commuting_zones(
    net: Network,
    centres: PlaceLike,
    places: PlaceLike,
    minutes: float = 60.0,
    *,
    size: str | None = None,
    population: str | None = None,
    beta: float = _REILLY,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> pd.DataFrame:
    """Tell the potential commuting zone of each centre: who could commute there, by time.

    Parameters
    ----------
    net, centres, places, size, beta, direction, modes
        As for :func:`hinterlands`.
    minutes
        A place belongs to the centre that pulls it most among those within so many minutes.
    population
        Column of ``places`` that holds their people; each counts as one if None.

    Returns
    -------
    pandas.DataFrame
        On the index of ``centres``: ``name``, ``places`` (how many belong to it), ``people``,
        ``farthest_min`` (NaN without places) and ``members`` (their labels, nearest first).
        ``.attrs["outside"]`` holds the labels of places that no centre is within reach of.

    Notes
    -----
    Potential, not actual: functional urban areas (OECD and European Commission 2012) ask for 15 %
    of the workers, which times alone cannot tell.
    """
    middle = as_points(centres, "centres")
    found = hinterlands(
        net, middle, places, size=size, beta=beta, cutoff=check_minutes(minutes),
        direction=direction, modes=modes,
    )  # fmt: skip
    persons = _amounts(found, population, "places")
    main = found["main"].to_numpy(dtype=object)
    rows = []
    for label, name in zip(middle.index, middle["name"].astype(str), strict=True):
        own = np.flatnonzero([one is not None and one == label for one in main])
        own = own[np.argsort(found["main_min"].to_numpy()[own], kind="stable")]
        rows.append(
            {
                "name": name,
                "places": len(own),
                "people": float(persons[own].sum()),
                "farthest_min": float(found["main_min"].iloc[own[-1]]) if len(own) else np.nan,
                "members": found.index[own].tolist(),
            }
        )
    made = pd.DataFrame(rows, index=middle.index)
    made.attrs = {
        "outside": found.index[[one is None for one in main]].tolist(),
        "network": dict(net.describe()),
    }
    return made


# -- centrality ---------------------------------------------------------------------------------


def closeness(
    net: Network, places: PlaceLike | None = None, *, modes: Iterable[str] = MODES
) -> pd.Series:
    """Measure how near each place is to all others, in time.

    Parameters
    ----------
    net
        The network.
    places
        The places; every node of the network if None.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.Series
        ``(r / (n - 1)) x (r / sum of minutes)`` with the ``r`` others that are reached, per minute,
        on the places' index or the nodes' ids; 0 where none is reached (Wasserman and Faust 1994).

    Raises
    ------
    InputError
        If there are more nodes than can be searched from; give places then.
    """
    chosen = check_modes(modes)
    check_network(net)
    asked = None if places is None else as_points(places, "places")
    n = len(net._tables.nodes) if asked is None else len(asked)
    total, reached = np.zeros(n), np.zeros(n)
    for first, ms in _sources(net, asked, chosen):
        rows = np.arange(len(ms))
        ms[rows, first + rows] = np.inf  # itself
        good = np.isfinite(ms)
        total[first : first + len(ms)] = np.where(good, ms, 0).sum(axis=1) / MS
        reached[first : first + len(ms)] = good.sum(axis=1)
    share = reached / max(n - 1, 1)
    values = np.divide(share * reached, total, out=np.zeros(n), where=total > 0)
    index = _node_ids(net) if asked is None else asked.index
    return pd.Series(values, index=index, name="closeness")


def _check_size(net: Network) -> None:
    n = len(net._tables.nodes)
    if n > _MOST_SOURCES:
        raise InputError(
            f"{net.facts.title} has {n:,} nodes, and a search from each would take too long "
            f"(at most {_MOST_SOURCES:,}). Give places=, for example its towns."
        )


def _sources(
    net: Network, asked: gpd.GeoDataFrame | None, modes: tuple[str, ...]
) -> Iterator[tuple[int, FloatArray]]:
    """Times from each place, or node, to all of them, some at a time."""
    graph = net.graph(modes)
    if asked is None:
        _check_size(net)
        step = max(1, _BLOCK_BYTES // (8 * graph.n_vertices))
        for first in range(0, graph.n_nodes, step):
            ways_in = _at_nodes(graph, np.arange(first, min(first + step, graph.n_nodes)))
            yield first, graph.at_nodes(reach_dense(graph, ways_in))
        return
    whole = Asked.of(net, asked, asked, modes)
    step = max(1, _BLOCK_BYTES // (8 * len(asked)))
    for first in range(0, len(asked), step):
        some = whole.begin[first : first + step]
        yield first, pair_times(net, whole.graph, whole.snaps, whole.lonlat, some, whole.end)


def _at_nodes(graph: Graph, nodes: IntArray) -> Entries:
    """Nodes as beginnings, by every mode of the street."""
    layers = np.arange(len(graph.layers)) * graph.n_nodes
    vertices = (nodes[:, None] + layers).ravel()
    offsets = np.arange(len(nodes) + 1) * len(layers)
    return Entries(offsets, vertices, np.zeros(len(vertices), dtype=np.int64))


def betweenness(
    net: Network,
    places: PlaceLike | None = None,
    *,
    of: str = "nodes",
    weight: str | None = None,
    modes: Iterable[str] = MODES,
) -> pd.Series:
    """Count how many fastest ways lead through each node, or over each link.

    Parameters
    ----------
    net
        The network.
    places
        Ways between each ordered pair of these places; between all nodes if None.
    of
        ``nodes`` or ``links``.
    weight
        Column of ``places``: a pair counts as the product of both; as one if None.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.Series
        By node id, ends of ways not counted where nodes are the ends; or by the ids of the view's
        road links. Of several equally fast ways each counts its share. Ways of places that need no
        vertex count for the link that they share, or for none where they lead across.

    Raises
    ------
    InputError
        If ``of`` is neither, a weight cannot be used, or there are too many nodes.

    Notes
    -----
    Brandes (2001), with both of its passes as solutions of triangular systems over the arcs that
    lie on fastest ways, in the order of time.
    """
    if of not in ("nodes", "links"):
        raise InputError(f"of is {of!r}; 'nodes' or 'links' is expected.")
    chosen = check_modes(modes)
    check_network(net)
    graph = net.graph(chosen)
    if places is None:
        if weight is not None:
            raise InputError("weight is a column of places; give places= too.")
        _check_size(net)
        starts = ends = _at_nodes(graph, np.arange(graph.n_nodes))
        mass = np.ones(graph.n_nodes)
        across = None
    else:
        asked = as_points(places, "places")
        mass = _amounts(asked, weight, "places")
        whole = Asked.of(net, asked, asked, chosen)
        snaps = _once(whole.snaps)
        starts = entries(snaps, whole.begin, leaving=True)
        ends = entries(snaps, whole.end, leaving=False)
        across = replace(whole, snaps=snaps)
    flow = _Flow.of(graph, len(net._tables.links))
    if across is not None:
        flow.leave = _entered(across.snaps, whole.begin, starts, leaving=True)
        flow.arrive = _entered(across.snaps, whole.end, ends, leaving=False)
    for one in range(len(starts)):
        direct = None
        if across is not None:
            direct = _direct_row(net, across, one)
        start, first = starts.part(one, one + 1), int(starts.offsets[one])
        flow.add(one, start, first, ends, mass, direct, at_node=places is None)
    if of == "nodes":
        through = flow.through[: graph.n_streets].reshape(len(graph.layers), -1).sum(axis=0)
        return pd.Series(through, _node_ids(net), name="betweenness")
    street = np.isin(graph.kind, (ArcKind.ROAD, ArcKind.WALK))
    t = net._tables
    by_link = flow.partly + np.bincount(
        graph.item[street], weights=flow.over[street], minlength=len(t.links)
    )
    rows = net.link_rows[t.is_road[net.link_rows]]
    return pd.Series(by_link[rows], pd.Index(t.links["id"].iloc[rows], name="id"),
                     name="betweenness")  # fmt: skip


def _direct_row(net: Network, whole: Asked, row: int) -> Direct:
    """The ways from one place that need no vertex."""
    return direct_times(
        net, whole.graph.layers, whole.snaps, whole.lonlat, whole.begin[row : row + 1], whole.end,
        reverse=False,
    )  # fmt: skip


def _once(snaps: Snaps) -> Snaps:
    """Leave out the ways that a place has twice.

    One that stands at the end of a road gets to the other end along it, and over the graph too.
    """

    def whole(ms: IntArray, parks: IntArray, against: NDArray[np.bool_]) -> NDArray[np.bool_]:
        ride = ms - snaps.leg_ms - parks
        link = np.where(against, snaps.back_ms, snaps.there_ms)
        found: NDArray[np.bool_] = (snaps.link >= 0) & (ride == link)
        return found

    # At the tail of a one-way road a place has one way out, along it; the other end is looked up.
    keys = list(zip(snaps.point.tolist(), snaps.link.tolist(), snaps.foot.tolist(), strict=True))
    made: dict[str, Any] = {}
    for name, parks in (("out_ms", 0), ("in_ms", snaps.park_ms)):
        ms = getattr(snaps, name)
        against = snaps.at_tail if name == "out_ms" else ~snaps.at_tail
        twice = whole(ms, np.where(snaps.foot, 0, parks), against)
        ends = zip(keys, snaps.at_tail.tolist(), strict=True)
        usable = {end for end, good in zip(ends, ms < NEVER, strict=True) if good}
        ends = zip(keys, snaps.at_tail.tolist(), strict=True)
        other = [(key, not tail) in usable for key, tail in ends]
        made[name] = np.where(twice & np.array(other, dtype=bool), NEVER, ms)
    return replace(snaps, **made)


def _entered(snaps: Snaps, points: IntArray, doors: Entries, *, leaving: bool) -> IntArray:
    """The link that each entry leads along in part, -1 where it leads along none."""
    legs = snaps.out_ms if leaving else snaps.in_ms
    parks = np.where(snaps.foot | leaving, 0, snaps.park_ms)
    rides = legs - snaps.leg_ms - parks > 0
    link = {
        (point, vertex, ms): row if ride else -1
        for point, vertex, ms, row, ride in zip(
            snaps.point.tolist(), snaps.vertex.tolist(), legs.tolist(), snaps.link.tolist(),
            rides.tolist(), strict=True,
        )
    }  # fmt: skip
    owners = points[doors.rows].tolist()
    keys = zip(owners, doors.vertices.tolist(), doors.costs.tolist(), strict=True)
    return np.array([link[key] for key in keys], dtype=np.int64)


@dataclass(eq=False)
class _Flow:
    """What flows through vertices, over arcs and along parts of links, added up."""

    graph: Graph
    tails: IntArray
    through: FloatArray
    over: FloatArray
    partly: FloatArray
    leave: IntArray | None = None
    arrive: IntArray | None = None

    @classmethod
    def of(cls, graph: Graph, n_links: int) -> _Flow:
        tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
        arcs, vertices = np.zeros(graph.n_arcs), np.zeros(graph.n_vertices)
        return cls(graph, tails, vertices, arcs, np.zeros(n_links))

    def _ride(self, links: IntArray, load: FloatArray) -> None:
        """Count what rides along a part of each link."""
        some = links >= 0
        np.add.at(self.partly, links[some], load[some])

    def add(
        self,
        source: int,
        start: Entries,
        first: int,
        ends: Entries,
        mass: FloatArray,
        direct: Direct | None,
        *,
        at_node: bool,
    ) -> None:
        """Add the fastest ways from one place to all others; ``first`` numbers its entries."""
        graph, n = self.graph, self.graph.n_vertices
        if not len(start.vertices) or not len(ends.vertices):
            return
        ms = reach_dense(graph, start)[0]
        reached = np.flatnonzero(np.isfinite(ms))
        order = reached[np.argsort(ms[reached], kind="stable")]
        rank = np.full(n, -1, dtype=np.int64)
        rank[order] = np.arange(len(order))
        tail, head = self.tails, graph.heads
        arcs = np.flatnonzero(np.isfinite(ms[tail]) & (ms[tail] + graph.cost_ms == ms[head]))
        shape = (len(order), len(order))
        step = csr_array((np.ones(len(arcs)), (rank[tail[arcs]], rank[head[arcs]])), shape=shape)
        one = eye_array(len(order), format="csr")
        begins = np.zeros(len(order))
        own = np.flatnonzero(ms[start.vertices] == start.costs)  # entered there, not passed
        np.add.at(begins, rank[start.vertices[own]], 1.0)
        lower = csr_array(one - step.T)
        ways = spsolve_triangular(lower, begins, lower=True, unit_diagonal=True)
        ends_at = self._arrivals(source, ends, ms, rank, ways, mass, direct)
        upper = csr_array(one - step)
        each = np.divide(ends_at, ways, out=np.zeros(len(order)), where=ways > 0)
        load = spsolve_triangular(upper, each, lower=False, unit_diagonal=True)
        passing = ways * load
        if at_node:
            passing = passing - ends_at  # ends of ways are not counted
            passing[rank[start.vertices]] = 0.0
        if self.leave is not None:
            self._ride(self.leave[first + own], load[rank[start.vertices[own]]])
        self.through[order] += passing
        self.over[arcs] += ways[rank[tail[arcs]]] * load[rank[head[arcs]]]

    def _arrivals(
        self,
        source: int,
        ends: Entries,
        ms: FloatArray,
        rank: IntArray,
        ways: FloatArray,
        mass: FloatArray,
        direct: Direct | None,
    ) -> FloatArray:
        """What leaves the graph at each vertex that is reached, by its rank."""
        total = ms[ends.vertices] + ends.costs
        rows = ends.rows
        least = np.full(len(ends), np.inf)
        np.minimum.at(least, rows, total)
        used = np.isfinite(total) & (total == least[rows]) & (rows != source)
        if direct is not None:
            near = np.flatnonzero(direct.ms[0] < least)
            near = near[near != source]
            self._ride(direct.link[0, near], mass[source] * mass[near])
            used &= ~(direct.ms[0] < least)[rows]
        place = rank[ends.vertices[used]]
        share = ways[place]
        whole = np.bincount(rows[used], weights=share, minlength=len(ends))
        out = np.zeros(len(ways))
        load = mass[source] * mass[rows[used]] * share / whole[rows[used]]
        np.add.at(out, place, load)
        if self.arrive is not None:
            self._ride(self.arrive[used], load)
        return out
