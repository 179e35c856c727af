"""How sure a verdict is: by other speed profiles, and by chance.

The margin and the break-even factor say how much slower all roads together may get. Here roads
differ from each other. A range over profiles asks the same question at other speeds. A run of
chance multiplies the time of every road by a factor of its own, drawn from a log-normal
distribution whose median is 1: a factor of 1.25 is as likely as one of 0.8. All links of one road
(of one number or name) share their draw, wholly or in part, because a road that is slower than its
class is so along its length; were every link drawn by itself, errors would cancel along a way and
the range would look too narrow.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.times import arrivals, search
from urbangeo.errors import InputError, TableError
from urbangeo.network.compile import street_arcs
from urbangeo.network.graph import MS, ArcKind, Graph
from urbangeo.network.profiles import LINK_CLASSES, ROAD_CLASSES, Profile
from urbangeo.network.snap import NEVER, Snaps

if TYPE_CHECKING:
    from urbangeo.access.circle import CommutingCircle

__all__ = ["Spread", "how_sure", "profile_range", "simulate"]

_NINE_IN_TEN = 3.289707253902945  # width of the middle nine tenths of a normal distribution, in σ
_MOST_RUNS = 100_000
_KEYS = (*ROAD_CLASSES, "access")


@dataclass(frozen=True)
class Spread:
    """How much the time on one road may differ from what its class says.

    Attributes
    ----------
    sigma
        Standard deviation of the logarithm of the factor on time, by road class and ``access``
        (legs off the network); a class without one keeps its time.
    source
        Where each comes from, by the same keys.
    """

    sigma: Mapping[str, float]
    source: Mapping[str, str]

    @classmethod
    def read(cls, path: str | os.PathLike[str] | None = None) -> Spread:
        """Read ranges of speed from a TOML file: ``low_kmh``, ``high_kmh``, ``source`` by class.

        σ = ln(high / low) / 3.29, because 3.29 σ hold nine in ten of a normal distribution.

        Parameters
        ----------
        path
            The file; the bundled ``layers/network/spread.toml`` if None.

        Raises
        ------
        TableError
            With every finding: an unknown class, a missing or impossible number, no source.
        """
        if path is None:
            from urbangeo.catalog import data_folder

            path = data_folder() / "network" / "spread.toml"
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise TableError(path, ["there is no such file"]) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TableError(path, [f"not TOML in UTF-8: {error}"]) from error
        findings, sigma, source = [], {}, {}
        for key, row in content.items():
            if key not in _KEYS:
                findings.append(f"{key}: unknown class; known: {', '.join(_KEYS)}")
                continue
            given: dict[str, Any] = row if isinstance(row, dict) else {}
            low, high = given.get("low_kmh", 0), given.get("high_kmh", 0)
            if not (_is_positive(low) and _is_positive(high) and low <= high):
                findings.append(
                    f"{key}: low_kmh is {low!r} and high_kmh {high!r}; two numbers above 0 are "
                    "expected, the lower first"
                )
                continue
            if not isinstance(given.get("source"), str) or not given["source"].strip():
                findings.append(f"{key}: source is missing; say where the range comes from")
            sigma[key] = math.log(high / low) / _NINE_IN_TEN
            source[key] = f"{given.get('source', '')}（{low:g}–{high:g} km/h）"
        if not content:
            findings.append("there is no class")
        if findings:
            raise TableError(path, findings)
        return cls(MappingProxyType(sigma), MappingProxyType(source))


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def how_sure(
    circle: CommutingCircle,
    *,
    profiles: Sequence[str | Profile] | None = None,
    runs: int = 0,
    spread: Spread | str | os.PathLike[str] | None = None,
    correlation: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Tell for each place how sure its verdict is.

    Parameters
    ----------
    circle
        The circle.
    profiles
        Speed profiles at which to ask again, for :func:`profile_range`; none if None.
    runs, spread, correlation, seed
        For :func:`simulate`, which is not done for 0 runs.

    Returns
    -------
    pandas.DataFrame
        On the index of ``circle.towns``: ``name``, ``kind``, ``county``, ``adcode``, ``status``,
        ``minutes``, ``margin_min``, ``breakeven``, then the columns of what was asked for.
        ``.attrs`` holds ``network`` and, for each, what it was done with.

    Raises
    ------
    InputError, UnknownNameError
        As the two functions do.
    """
    columns = ["name", "kind", "county", "adcode", "status", "minutes", "margin_min", "breakeven"]
    parts = [pd.DataFrame(circle.towns[columns])]
    if profiles is not None:
        parts.append(profile_range(circle, profiles))
    if runs:
        parts.append(simulate(circle, runs, spread=spread, correlation=correlation, seed=seed))
    # side by side by position: a caller's index may repeat
    values = {name: one[name].to_numpy() for one in parts for name in one.columns}
    table = pd.DataFrame(values, index=circle.towns.index)
    table.attrs = {"network": dict(circle.network)}
    for part in parts[1:]:
        table.attrs |= part.attrs
    return table


def profile_range(
    circle: CommutingCircle, profiles: Sequence[str | Profile] | None = None
) -> pd.DataFrame:
    """Ask the same question at the speeds of other profiles.

    Parameters
    ----------
    circle
        The circle.
    profiles
        Names in the bundled ``profiles.toml``, or profiles of your own; all of that file if None.

    Returns
    -------
    pandas.DataFrame
        On the index of ``circle.towns``: ``minutes_<profile>`` for each (NaN where there is no
        way), ``minutes_least``, ``minutes_most`` (NaN if there is no way by one), and
        ``profiles_inside``, the share of profiles by which the place is inside.

    Raises
    ------
    UnknownNameError
        If the bundled file has no profile of a name.
    InputError
        If no profile is given, or two bear one name.
    """
    from urbangeo.access.circle import commuting_circle

    chosen = bundled_profiles() if profiles is None else list(profiles)
    if not chosen:
        raise InputError("No profile given; name some, or leave profiles out for all.")
    columns: dict[str, NDArray[np.float64]] = {}
    inside = np.zeros(len(circle._verdicts))
    for one in chosen:
        net = circle.net.with_profile(one)
        name = f"minutes_{net.profile.name}"
        if name in columns:
            raise InputError(
                f"Two of the profiles are called {net.profile.name!r}; name each once."
            )
        again = commuting_circle(
            circle.centres,
            circle.minutes,
            net,
            places=circle._question.asked,
            direction=circle.direction,
            modes=circle.modes,
        )
        columns[name] = again._verdicts["minutes"].to_numpy(dtype=float)
        inside += (again._verdicts["status"] == "inside").to_numpy()
    table = pd.DataFrame(columns, index=circle._verdicts.index)
    every = np.column_stack(list(columns.values()))
    table["minutes_least"] = every.min(axis=1)
    table["minutes_most"] = every.max(axis=1)
    table["profiles_inside"] = inside / len(chosen)
    table.attrs = {"profiles": [name.removeprefix("minutes_") for name in columns]}
    return table


def bundled_profiles() -> list[str]:
    """Name the speed profiles of the bundled file, in its order."""
    from urbangeo.catalog import data_folder

    content = tomllib.loads(
        (data_folder() / "network" / "profiles.toml").read_text(encoding="utf-8")
    )
    shared = ("sinuosity", "terrain")
    return [key for key, one in content.items() if isinstance(one, dict) and key not in shared]


def simulate(
    circle: CommutingCircle,
    runs: int = 200,
    *,
    spread: Spread | str | os.PathLike[str] | None = None,
    correlation: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask the same question many times, each road's time multiplied by a factor drawn by chance.

    The factor of a link is exp(σ (√ρ R + √(1-ρ) L)): R is drawn once for its road and L for the
    link, both standard normal; σ is the spread of its class and ρ the correlation. A leg off the
    network has one draw for each place. Trains, walking and parking keep their time.

    Parameters
    ----------
    circle
        The circle.
    runs
        How many times; 1 to 100,000. A share of runs is right to about 1 / √runs.
    spread
        How far roads differ: a :class:`Spread` or a file of ranges; the bundled one if None.
    correlation
        ρ, 0 to 1, between two links of one road (one number; else one name; else the link
        alone). 1 lets no error cancel along a road, so that the range is rather too wide.
    seed
        The same seed gives the same numbers.

    Returns
    -------
    pandas.DataFrame
        On the index of ``circle.towns``: ``share_inside`` (of the runs), ``minutes_p05``,
        ``minutes_p50`` and ``minutes_p95``; NaN minutes where there is no way. ``.attrs`` says
        with what it was done.

    Raises
    ------
    InputError
        If runs, correlation or seed cannot be used.
    TableError
        If a file of ranges cannot be used.
    """
    whole = isinstance(runs, int | np.integer) and not isinstance(runs, bool)
    if not whole or not 1 <= runs <= _MOST_RUNS:
        raise InputError(f"runs is {runs!r}; a whole number from 1 to {_MOST_RUNS:,} is expected.")
    if not (isinstance(correlation, int | float) and 0 <= correlation <= 1):
        raise InputError(f"correlation is {correlation!r}; a number from 0 to 1 is expected.")
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"seed is {seed!r}; a whole number of at least 0 is expected.")
    rule = spread if isinstance(spread, Spread) else Spread.read(spread)
    times = np.array(list(_draws(circle, int(runs), rule, float(correlation), int(seed))))
    cutoff = circle._question.cutoff_ms
    table = pd.DataFrame({"share_inside": (times <= cutoff).mean(axis=0)})
    for share in (5, 50, 95):
        # a time that was really drawn: between a number and no way there is no middle
        ms = np.percentile(times, share, axis=0, method="inverted_cdf")
        table[f"minutes_p{share:02d}"] = np.where(np.isfinite(ms), ms / MS, np.nan)
    table.index = circle._verdicts.index
    table.attrs = {
        "runs": int(runs),
        "seed": int(seed),
        "correlation": float(correlation),
        "sigma": {key: round(one, 4) for key, one in rule.sigma.items()},
        "spread_source": dict(rule.source),
    }
    return table


def _draws(
    circle: CommutingCircle, runs: int, spread: Spread, correlation: float, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Times of all places in each run, milliseconds."""
    question = circle._question
    net, graph, snaps = circle.net, question.graph, question.snaps
    roads = _Roads.of(circle)
    classes = net._tables.codes("class")
    by_class = np.array([spread.sigma.get(one, 0.0) for one in LINK_CLASSES])
    sigma = by_class[classes]
    off = spread.sigma.get("access", 0.0)
    # two streams, so that the draws of roads do not hang on which places are asked about
    chance, legs = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    shared, own = math.sqrt(correlation), math.sqrt(1.0 - correlation)
    n_links, n_points = len(sigma), len(snaps.nearest_m)
    straight = _Straight.of(circle)
    for _ in range(runs):
        normal = shared * chance.standard_normal(roads.count)[roads.number]
        normal += own * chance.standard_normal(n_links)
        factor = np.exp(sigma * normal)
        leg = np.exp(off * legs.standard_normal(n_points))
        slowed = _slowed(snaps, factor, leg)
        found = search(roads.slowed(graph, factor), slowed, question.near, reverse=question.reverse)
        times = arrivals(found, slowed, question.far, reverse=question.reverse)
        straight.lower(times, slowed, leg)
        yield times.min(axis=0)


@dataclass(frozen=True, eq=False)
class _Roads:
    """The links of a view by road, and how their times get into its graph.

    Attributes
    ----------
    number, count
        Number of each link's road, and how many there are.
    link, ms, starts
        Road arcs in the order of the graph's, parallel ones together: row of the link, whole
        milliseconds, and where the arcs of each pair of vertices begin.
    places
        Arcs of the graph that they make.
    """

    number: NDArray[np.int64]
    count: int
    link: NDArray[np.int64]
    ms: NDArray[np.int64]
    starts: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, circle: CommutingCircle) -> _Roads:
        net, graph = circle.net, circle._question.graph
        t = net._tables
        first = [t.links[one].astype(str).str.split(";").str[0] for one in ("ref", "name")]
        key = first[0].where(first[0] != "", first[1])
        key = key.where(key != "", t.links["id"].astype(str))
        number, names = pd.factorize(key, sort=True)
        arcs = street_arcs(net, circle.modes)
        road = arcs.kind == ArcKind.ROAD
        tail, head, link = arcs.tail[road], arcs.head[road], arcs.item[road]
        order = np.lexsort((head, tail))
        tail, head = tail[order], head[order]
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        return cls(
            number=number.astype(np.int64),
            count=len(names),
            link=link[order],
            ms=arcs.cost_ms[road][order].astype(np.int64),
            starts=np.flatnonzero(fresh),
            places=np.flatnonzero(graph.kind == ArcKind.ROAD),
        )

    def slowed(self, graph: Graph, factor: NDArray[np.float64]) -> Graph:
        """Give the graph with the time of each link multiplied; the fastest of parallel ones."""
        if not len(self.starts):
            return graph
        ms = np.maximum(1, np.rint(self.ms * factor[self.link])).astype(np.int64)
        cost = graph.cost_ms.copy()
        cost[self.places] = np.minimum.reduceat(ms, self.starts)
        return replace(graph, cost_ms=cost, _cache={})


@dataclass(frozen=True, eq=False)
class _Straight:
    """Ways between centres and places that need no vertex; they are few and the same in each run.

    Attributes
    ----------
    centre, place, begin, end
        Pairs that share a link: row of the centre, row of the place, and the ways in ``snaps`` by
        which one gets onto the link and off it, in the order of travel.
    across
        Milliseconds of going straight across, shape (centres, places), infinite for other pairs.
    far
        Rows of the places among the points.
    """

    centre: NDArray[np.int64]
    place: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    across: NDArray[np.float64]
    far: NDArray[np.int64]

    @classmethod
    def of(cls, circle: CommutingCircle) -> _Straight:
        question = circle._question
        snaps = question.snaps
        # each link stands twice for each point, once for each end; one of them is enough
        items = np.flatnonzero(snaps.at_tail)
        n = len(question.near)
        near, far = items[snaps.point[items] < n], items[snaps.point[items] >= n]
        one, other = np.nonzero(
            (snaps.link[near][:, None] == snaps.link[far])
            & (snaps.foot[near][:, None] == snaps.foot[far])
        )
        one, other = near[one], far[other]
        centre, place = snaps.point[one], snaps.point[other] - n
        begin, end = (other, one) if question.reverse else (one, other)
        closed = circle.net._tables.oneway[snaps.link[one]] & ~snaps.foot[one]
        open_ = ~(closed & (snaps.along[end] < snaps.along[begin]))
        across = np.where(question.direct.link < 0, question.direct.ms, np.inf)
        rows = (centre[open_], place[open_], begin[open_], end[open_])
        return cls(*rows, across=across, far=question.far)

    def lower(self, times: NDArray[np.float64], snaps: Snaps, leg: NDArray[np.float64]) -> None:
        """Lower times, shape (centres, places), to those of these ways where they are faster."""
        one, other = self.begin, self.end
        ahead = snaps.along[other] - snaps.along[one]
        whole = np.where(ahead < 0, snaps.back_ms[one], snaps.there_ms[one])
        total = snaps.leg_ms[one] + snaps.leg_ms[other] + np.rint(np.abs(ahead) * whole)
        total += np.where(snaps.foot[one], 0, snaps.park_ms)
        np.minimum.at(times, (self.centre, self.place), total)
        if snaps.foot.any():  # then one may go across on foot, which no factor slows
            np.minimum(times, self.across, out=times)
        else:
            slow = np.rint((self.across - snaps.park_ms) * leg[self.far]) + snaps.park_ms
            np.minimum(times, slow, out=times)


def _slowed(snaps: Snaps, factor: NDArray[np.float64], leg: NDArray[np.float64]) -> Snaps:
    """Ways onto the graph with the times of links and of legs multiplied."""
    on_link = np.where(snaps.link >= 0, factor[np.maximum(snaps.link, 0)], 1.0)
    off = leg[snaps.point]

    def slow(ms: NDArray[np.int64], fixed: NDArray[np.int64] | int = 0) -> NDArray[np.int64]:
        ride = ms - snaps.leg_ms - fixed
        slower = np.rint(snaps.leg_ms * off) + np.rint(ride * on_link) + fixed
        chosen = np.where((ms >= NEVER) | snaps.foot, ms, slower)
        return chosen.astype(np.int64)

    def along(ms: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(snaps.foot, ms, np.rint(ms * on_link)).astype(np.int64)

    return replace(
        snaps,
        out_ms=slow(snaps.out_ms),
        in_ms=slow(snaps.in_ms, snaps.park_ms),
        leg_ms=np.where(snaps.foot, snaps.leg_ms, np.rint(snaps.leg_ms * off)).astype(np.int64),
        there_ms=along(snaps.there_ms),
        back_ms=along(snaps.back_ms),
    )
