"""A network beside what has been published of it: trips, lengths of routes, rides by rail.

Each comparison is a table: what was published, what the network gives, the error, and whether the
row counts or why not. Nothing is left out. :func:`summary` tells the errors of the rows that count.
Which rows count is written in the tables themselves, before anything is compared.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.stats import binom

from urbangeo.access.legs import road_name
from urbangeo.access.points import as_points
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import TableError
from urbangeo.network.graph import MS
from urbangeo.network.network import Network, check_network
from urbangeo.network.snap import NEVER, snap

if TYPE_CHECKING:
    from urbangeo.network.graph import Graph

__all__ = [
    "QUANTITIES",
    "READINGS",
    "compare_lengths",
    "compare_rides",
    "compare_trips",
    "length_within",
    "split_pairs",
    "summary",
]

QUANTITIES = ("km", "minutes")
READINGS = ("door", "gate")
ROADS = ("any", "ordinary")
KINDS = ("fastest", "typical")
_FAST = "expressway"

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def compare_trips(
    net: Network, trips: pd.DataFrame, places: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Compare lengths and times of trips by car with published ones.

    Parameters
    ----------
    net
        The network with all its years (``Network.backbone(None)``).
    trips
        One row for each figure. ``from`` and ``to`` are ids of nodes, names in ``places``, or
        names in the gazetteer; ``quantity`` is ``km`` or ``minutes``, ``value`` the figure.
        ``reading`` (optional): ``door``, from place to place; or ``gate``, from the first
        interchange of an expressway on that way to the last, as reports of openings count. Between
        nodes both are the same. ``roads`` (optional): ``any``, or ``ordinary`` for figures of ways
        without expressways. ``year`` (optional): the network is asked as open at its end, or at
        the nearest end of the years that it knows. ``why_not`` (optional): why the row does not
        count; empty if it does. Further columns are kept.
    places
        Points with a ``name``, EPSG:4326, for a region that the gazetteer does not have.

    Returns
    -------
    pandas.DataFrame
        The rows as given, with ``found`` (in the unit of the figure), ``error`` (found over
        published, less 1), ``fast_share`` (share of the length that is expressway), ``way`` (in
        words), ``scored`` and ``why``. The way is the fastest one, for lengths too.

    Raises
    ------
    TableError
        With every finding about the table.
    UnknownNameError, AmbiguousNameError
        If an end is no node and no place, or several places.
    """
    check_network(net)
    table = _checked(
        trips,
        "trips",
        required=("from", "to", "quantity", "value"),
        numbers=("value",),
        words={"quantity": QUANTITIES, "reading": READINGS, "roads": ROADS},
    )
    ends = _Ends(net, pd.concat([table["from"], table["to"]]).unique().tolist(), places)
    views: dict[tuple[int | None, str], _View] = {}
    found, shares, ways = [], [], []
    for row in table.to_dict("records"):
        key = (_clamped(net, row["year"]), row["roads"])
        if key not in views:
            views[key] = _View(_opened(net, *key), ends)
        way = views[key].way(row["from"], row["to"])
        if row["reading"] == "gate" and not (ends.is_node(row["from"]) and ends.is_node(row["to"])):
            way = way.between_gates()
        found.append(way.km if row["quantity"] == "km" else way.minutes)
        shares.append(way.fast_share)
        ways.append(way.told)
    return _judged(table, "value", found, "路网中没有这样的走法").assign(
        fast_share=shares, way=ways
    )


def compare_lengths(net: Network, lengths: pd.DataFrame) -> pd.DataFrame:
    """Compare lengths of expressways and railways with published ones.

    Parameters
    ----------
    net
        The network with all its years.
    lengths
        ``route`` (number or name, several joined by ``+``), ``from_node``, ``to_node``, ``km``;
        ``use`` (optional) is ``no`` where the row does not count. Further columns are kept.

    Returns
    -------
    pandas.DataFrame
        The rows as given, with ``found`` (km), ``error``, ``scored`` and ``why``. Measured along
        links of the routes named, or along any expressway or railway where these do not connect.

    Raises
    ------
    TableError
        With every finding about the table.
    """
    check_network(net)
    table = _checked(
        lengths, "lengths", required=("route", "from_node", "to_node", "km"), numbers=("km",)
    )
    lines = _Lines(net)
    found = [
        lines.along(row["route"].split("+"), row["from_node"], row["to_node"])
        for row in table.to_dict("records")
    ]
    return _judged(table, "km", found, "没有画出，或没有载明两端")


def compare_rides(net: Network, minutes: pd.DataFrame) -> pd.DataFrame:
    """Compare minutes from station to station, on the train, with published ones.

    Parameters
    ----------
    net
        The network with all its years.
    minutes
        ``from_station``, ``to_station`` (ids of nodes), ``class`` of the service, ``minutes``;
        ``kind`` (optional): ``fastest`` train, or ``typical``; ``year`` and ``use`` (optional) as
        for the other tables. Further columns are kept.

    Returns
    -------
    pandas.DataFrame
        The rows as given, with ``found`` (minutes: the fastest service that calls at both, or the
        median train), ``error``, ``scored`` and ``why``.

    Raises
    ------
    TableError
        With every finding about the table.
    """
    check_network(net)
    table = _checked(
        minutes,
        "minutes",
        required=("from_station", "to_station", "class", "minutes"),
        numbers=("minutes",),
        words={"kind": KINDS},
    )
    runs: dict[int | None, list[_Run]] = {}
    found = []
    for row in table.to_dict("records"):
        year = _clamped(net, row["year"])
        if year not in runs:
            runs[year] = list(_runs(_opened(net, year).services))
        rides = [
            (ride, run.per_min)
            for run in runs[year]
            if run.kind == row["class"]
            for ride in run.between(row["from_station"], row["to_station"])
        ]
        found.append(_median(rides) if row["kind"] == "typical" else _least(rides))
    return _judged(table, "minutes", found, "没有停靠两站的列车")


def summary(table: pd.DataFrame, by: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Tell the errors of the rows of a comparison that count.

    Parameters
    ----------
    table
        What one of the comparisons gave, or a part of it.
    by
        Columns to group by; all together if None.

    Returns
    -------
    pandas.DataFrame
        ``n``; ``median`` and ``p90`` of the error's size; ``low`` and ``high``, between which the
        median of all such rows lies nine times in ten; ``bias``, the median error; ``beyond``, how
        many are off by more than a fifth.

    Notes
    -----
    ``low`` and ``high`` are order statistics: the number of rows below the true median is
    binomial, whatever the errors are distributed like (Conover 1999, section 3.2).
    """
    rows = table[table["scored"]]
    if by is None:
        return pd.DataFrame([_told(rows["error"])])
    names = [by] if isinstance(by, str) else list(by)
    groups = [(key, _told(group["error"])) for key, group in rows.groupby(names, sort=True)]
    keys = pd.DataFrame([key for key, _ in groups], columns=names)
    told = pd.DataFrame([one for _, one in groups], columns=list(_told(rows["error"])))
    return pd.concat([keys, told], axis=1).set_index(names)


def _told(error: pd.Series) -> dict[str, float]:
    """Number, middle and its interval, nine tenths, middle with its sign, how many far off."""
    size = np.sort(error.abs().to_numpy())
    n = len(size)
    low = high = float("nan")
    if n:
        low = float(size[max(0, int(binom.ppf(0.05, n, 0.5)) - 1)])
        high = float(size[min(n - 1, int(binom.ppf(0.95, n, 0.5)))])
    return {
        "n": n,
        "median": float(error.abs().median()),
        "low": low,
        "high": high,
        "p90": float(error.abs().quantile(0.9)),
        "bias": float(error.median()),
        "beyond": int((size > 0.2).sum()),
    }


def length_within(net: Network, outline: gpd.GeoSeries) -> pd.DataFrame:
    """Measure the links of a view inside an outline.

    Parameters
    ----------
    net
        The view.
    outline
        Polygons with a CRS, which may overlap.

    Returns
    -------
    pandas.DataFrame
        ``mode``, ``class`` and ``km``: each link counts with the share of its drawn line that lies
        inside, measured in an equal-area plane.
    """
    t, rows = check_network(net)._tables, net.link_rows
    plane = equal_area(net.bounds)
    lines = t.lines.geometry[rows]
    drawn = gpd.GeoSeries(lines, crs=WGS84).to_crs(plane)
    inside = outline.to_crs(plane).union_all()
    whole = drawn.length.to_numpy()
    kept = drawn.intersection(inside).length.to_numpy()
    share = np.divide(kept, whole, out=np.zeros_like(whole), where=whole > 0)
    links = t.links.iloc[rows]
    table = pd.DataFrame(
        {
            "mode": links["mode"].astype(str).to_numpy(),
            "class": links["class"].astype(str).to_numpy(),
            "km": net.length_m[rows] / 1000.0 * share,
        }
    )
    return table.groupby(["mode", "class"], sort=True)["km"].sum().reset_index()


def split_pairs(trips: pd.DataFrame, seed: int = 1) -> pd.Series:
    """Deal the pairs of ends into two halves by chance: ``fit`` and ``check``.

    Rows of one pair, whichever way, stay together, so that nothing that was fitted is checked.

    Parameters
    ----------
    trips
        ``from`` and ``to``.
    seed
        Of the random numbers.
    """
    keys = [tuple(sorted(pair)) for pair in zip(trips["from"], trips["to"], strict=True)]
    pairs = sorted(set(keys))
    random.Random(seed).shuffle(pairs)  # noqa: S311 - deals rows, keeps no secret
    fit = set(pairs[: (len(pairs) + 1) // 2])
    return pd.Series(["fit" if key in fit else "check" for key in keys], trips.index, name="half")


# -- tables ----------------------------------------------------------------------------------

_DEFAULTS = {"reading": "door", "roads": "any", "kind": "fastest", "why_not": "", "use": ""}


def _checked(
    frame: pd.DataFrame,
    what: str,
    *,
    required: tuple[str, ...],
    numbers: tuple[str, ...],
    words: dict[str, tuple[str, ...]] | None = None,
) -> pd.DataFrame:
    """Check a table of published figures, and fill what may be left out."""
    findings = [f"column {one!r} is missing" for one in required if one not in frame.columns]
    if findings:
        raise TableError(what, findings)
    table = frame.reset_index(drop=True)
    for column, default in _DEFAULTS.items():
        given = table[column] if column in table.columns else pd.Series([""] * len(table))
        text = given.astype(object).where(given.notna(), "").astype(str)
        table[column] = text.where(text != "", default)
    for column in {*required} - {*numbers}:
        text = table[column].astype(object).where(table[column].notna(), "")
        table[column] = text.astype(str)
    for column in numbers:
        value = pd.to_numeric(table[column], errors="coerce").astype(float)
        for row in np.flatnonzero(~(value > 0) | np.isinf(value)):
            findings.append(
                f"row {row + 2}: {column} is {table[column][row]!r}; a number above 0 is expected"
            )
        table[column] = value
    for column, known in (words or {}).items():
        for row in np.flatnonzero(~table[column].isin(known)):
            findings.append(
                f"row {row + 2}: {column} is {table[column][row]!r}; known: {', '.join(known)}"
            )
    year = table["year"] if "year" in table.columns else pd.Series([np.nan] * len(table))
    table["year"] = pd.to_numeric(year, errors="coerce").astype(float)
    if findings:
        raise TableError(what, findings)
    return table


def _judged(table: pd.DataFrame, figure: str, found: list[float], lost: str) -> pd.DataFrame:
    """Add what was found, the error, and whether the row counts."""
    values = np.array(found, dtype=float)
    why = table["why_not"].where(table["use"] != "no", "表内注明不用")
    why = why.where((why != "") | np.isfinite(values), lost)
    scored = (why == "").to_numpy()
    return table.assign(
        found=values, error=values / table[figure].to_numpy() - 1.0, scored=scored, why=why
    )


# -- views -----------------------------------------------------------------------------------


def _clamped(net: Network, year: float) -> int | None:
    """The year, or the nearest that the network knows; None where none is meant."""
    if not np.isfinite(year):
        return None
    low, high = net.facts.first_year, net.facts.last_year
    asked = int(year) if low is None else max(int(year), low)
    return asked if high is None else min(asked, high)


def _opened(net: Network, year: int | None, roads: str = "any") -> Network:
    """The network of a year, with all its roads or without expressways."""
    view = net if year is None else net.at(year)
    if roads == "any":
        return view
    links = view._tables.links.iloc[view.link_rows]
    fast = links.loc[links["class"] == _FAST, "id"].tolist()
    return view.without(fast) if fast else view


class _Ends:
    """The ends of trips: nodes, or points."""

    def __init__(self, net: Network, names: Sequence[str], places: gpd.GeoDataFrame | None):
        rows = net._tables.node_row.get_indexer(pd.Index(names))
        self.node = {name: int(row) for name, row in zip(names, rows, strict=True) if row >= 0}
        others = [name for name in names if name not in self.node]
        known = {} if places is None else dict(zip(places["name"], places.geometry, strict=True))
        points = [
            known[name] if name in known else as_points(name, "trips").geometry.iloc[0]
            for name in others
        ]
        self.row = {name: row for row, name in enumerate(others)}
        self.points = gpd.GeoSeries(points, crs="EPSG:4326")

    def is_node(self, name: str) -> bool:
        """Whether an end is a node of the network."""
        return name in self.node


class _Entry(NamedTuple):
    """A way between an end and the graph."""

    vertex: int
    out_ms: float
    in_ms: float
    leg_km: float
    leg_ms: float
    link: int  # -1 where none is entered between its nodes
    along: float
    at_tail: bool
    there_ms: float
    back_ms: float


class _Part(NamedTuple):
    """A part of a way: a link or some of it, or a leg off the network (link -1)."""

    link: int
    km: float
    ms: float


@dataclass(frozen=True, eq=False)
class Way:
    """A way by car: its parts in order."""

    net: Network
    parts: tuple[_Part, ...]

    @cached_property
    def classes(self) -> NDArray[np.object_]:
        """Class of each part; empty off the network."""
        kinds = self.net._tables.links["class"].astype(object).to_numpy()
        return np.array([kinds[one.link] if one.link >= 0 else "" for one in self.parts], object)

    @property
    def km(self) -> float:
        """Length; NaN where there is no way."""
        return sum(one.km for one in self.parts) if self.parts else float("nan")

    @property
    def minutes(self) -> float:
        """Time; NaN where there is no way."""
        return sum(one.ms for one in self.parts) / MS if self.parts else float("nan")

    @property
    def fast_share(self) -> float:
        """Share of the length that is expressway; NaN where there is no way."""
        if not self.km > 0:
            return float("nan")
        fast = self.classes == _FAST
        return sum(one.km for one, is_fast in zip(self.parts, fast, strict=True) if is_fast) / (
            self.km
        )

    def between_gates(self) -> Way:
        """The part from the first interchange of an expressway to the last; nothing if none."""
        fast = np.flatnonzero(self.classes == _FAST)
        kept = self.parts[fast[0] : fast[-1] + 1] if len(fast) else ()
        return Way(self.net, kept)

    @property
    def told(self) -> str:
        """The roads in order, with their kilometres."""
        links = self.net._tables.links
        roads: list[tuple[str, float]] = []
        for one in self.parts:
            name = road_name(links.iloc[one.link]) if one.link >= 0 else "接驳"
            if roads and roads[-1][0] == name:
                roads[-1] = (name, roads[-1][1] + one.km)
            else:
                roads.append((name, one.km))
        return " → ".join(f"{name} {km:.0f}" for name, km in roads)


class _View:
    """Fastest ways by car over one view of the network."""

    def __init__(self, net: Network, ends: _Ends) -> None:
        self.net, self.ends = net, ends
        self.graph: Graph = net.graph(("road",))
        self.trees: dict[int, tuple[FloatArray, IntArray]] = {}

    @cached_property
    def _entries(self) -> dict[str, list[_Entry]]:
        found: dict[str, list[_Entry]] = {
            name: [_Entry(row, 0.0, 0.0, 0.0, 0.0, -1, 0.0, False, 0.0, 0.0)]
            for name, row in self.ends.node.items()
        }
        if not len(self.ends.points):
            return found
        snaps = snap(self.net, self.ends.points, ("road",))
        circuity = self.net.profile.access.circuity
        for name, row in self.ends.row.items():
            found[name] = [
                _Entry(
                    int(snaps.vertex[one]),
                    float(snaps.out_ms[one]) if snaps.out_ms[one] < NEVER else np.inf,
                    float(snaps.in_ms[one]) if snaps.in_ms[one] < NEVER else np.inf,
                    float(snaps.leg_m[one]) * circuity / 1000.0,
                    float(snaps.leg_ms[one]),
                    int(snaps.link[one]),
                    float(snaps.along[one]),
                    bool(snaps.at_tail[one]),
                    float(snaps.there_ms[one]),
                    float(snaps.back_ms[one]),
                )
                for one in np.flatnonzero(snaps.point == row)
            ]
        return found

    def _tree(self, vertex: int) -> tuple[FloatArray, IntArray]:
        if vertex not in self.trees:
            found = dijkstra(self.graph.matrix(), indices=vertex, return_predecessors=True)
            self.trees[vertex] = found
        return self.trees[vertex]

    def way(self, start: str, end: str) -> Way:
        """The fastest way between two ends; no parts where there is none."""
        best, chosen = np.inf, None
        for one in self._entries[start]:
            times, _ = self._tree(one.vertex)
            for other in self._entries[end]:
                ms = one.out_ms + times[other.vertex] + other.in_ms
                if ms < best:
                    best, chosen = ms, (one, other)
        direct = min(self._direct(start, end), default=None, key=lambda way: way.minutes)
        if direct is not None and direct.minutes * MS < best:
            return direct
        if chosen is None:
            return Way(self.net, ())
        one, other = chosen
        parts = [*self._off(one, one.out_ms, leaving=True)]
        parts += self._links(one.vertex, other.vertex)
        parts += self._off(other, other.in_ms, leaving=False)
        return Way(self.net, tuple(parts))

    def _off(self, entry: _Entry, total_ms: float, *, leaving: bool) -> list[_Part]:
        """The parts between an end and its vertex, in the order of travel."""
        parts = []
        if entry.leg_ms > 0:
            parts.append(_Part(-1, entry.leg_km, entry.leg_ms))
        if entry.link >= 0:
            share = entry.along if entry.at_tail else 1.0 - entry.along
            km = share * float(self.net.length_m[entry.link]) / 1000.0
            parts.append(_Part(entry.link, km, total_ms - entry.leg_ms))
        return parts if leaving else parts[::-1]

    def _links(self, start: int, end: int) -> list[_Part]:
        """The links between two vertices."""
        before = self._tree(start)[1]
        chain = [end]
        while chain[-1] != start:
            chain.append(int(before[chain[-1]]))
        parts = []
        for tail, head in zip(chain[:0:-1], chain[-2::-1], strict=True):
            arc = self.graph.arc(tail, head)
            link = int(self.graph.item[arc])
            km = float(self.net.length_m[link]) / 1000.0
            parts.append(_Part(link, km, float(self.graph.cost_ms[arc])))
        return parts

    def _direct(self, start: str, end: str) -> Iterator[Way]:
        """Ways between two ends along one link."""
        for one in self._entries[start]:
            for other in self._entries[end]:
                if one.link < 0 or one.link != other.link or one.at_tail:
                    continue
                share = other.along - one.along
                whole = one.there_ms if share >= 0 else one.back_ms
                if whole >= NEVER:
                    continue
                km = abs(share) * float(self.net.length_m[one.link]) / 1000.0
                yield Way(
                    self.net,
                    (
                        _Part(-1, one.leg_km, one.leg_ms),
                        _Part(one.link, km, abs(share) * whole),
                        _Part(-1, other.leg_km, other.leg_ms),
                    ),
                )


# -- routes and trains -------------------------------------------------------------------------


class _Lines:
    """Expressways and railways, whichever are open."""

    def __init__(self, net: Network) -> None:
        t = net._tables
        links = t.links
        self.rows = np.flatnonzero(~t.is_road | (links["class"] == _FAST).to_numpy())
        used = links.iloc[self.rows]
        self.names = (used["ref"] + ";" + used["name"]).str.split(";").map(set).tolist()
        self.tail, self.head = t.tail[self.rows], t.head[self.rows]
        self.km = net.length_m[self.rows] / 1000.0
        self.node_row, self.count = t.node_row, len(t.nodes)

    def along(self, routes: Sequence[str], start: str, end: str) -> float:
        """Shortest length between two nodes, km; NaN if they are not connected."""
        begin, finish = self.node_row.get_indexer(pd.Index([start, end]))
        if min(begin, finish) < 0:
            return float("nan")
        wanted = set(routes)
        named = np.array([bool(wanted & one) for one in self.names])
        for chosen in (named, np.ones(len(named), dtype=bool)):
            ends = np.sort(np.stack([self.tail[chosen], self.head[chosen]]), axis=0)
            # of parallel links the shortest; a sparse matrix would add them up
            order = np.lexsort((self.km[chosen], ends[1], ends[0]))
            low, high, km = ends[0][order], ends[1][order], self.km[chosen][order]
            first = np.ones(len(order), dtype=bool)
            first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
            shape = (self.count, self.count)
            graph = csr_array((km[first], (low[first], high[first])), shape=shape)
            found = float(dijkstra(graph, directed=False, indices=begin)[finish])
            if np.isfinite(found):
                return found
        return float("nan")


@dataclass(frozen=True)
class _Run:
    """A service: when it is where."""

    kind: str
    per_min: float
    arrive: dict[str, float]
    leave: dict[str, float]
    is_oneway: bool

    def between(self, start: str, end: str) -> Iterator[float]:
        """Minutes on the train, if it calls at both."""
        if start not in self.arrive or end not in self.arrive or start == end:
            return
        ahead = self.arrive[end] > self.arrive[start]
        if ahead or not self.is_oneway:
            first, last = (start, end) if ahead else (end, start)
            yield self.arrive[last] - self.leave[first]


def _runs(services: pd.DataFrame) -> Iterator[_Run]:
    """The services of a view."""
    for _, calls in services.groupby("service", sort=False):
        run = calls["run_min"].fillna(0.0).to_numpy()
        dwell = calls["dwell_min"].fillna(0.0).to_numpy(copy=True)
        dwell[0] = 0.0  # it starts when it leaves
        leave = np.cumsum(run + dwell)
        # where a service calls twice at a station (a ring), the first call counts
        stations = calls["station"].tolist()[::-1]
        yield _Run(
            str(calls["class"].iloc[0]),
            1.0 / float(calls["headway_min"].iloc[0]),
            dict(zip(stations, (leave - dwell)[::-1].tolist(), strict=True)),
            dict(zip(stations, leave[::-1].tolist(), strict=True)),
            bool(calls["oneway"].iloc[0]),
        )


def _least(rides: list[tuple[float, float]]) -> float:
    """The fastest ride; NaN if there is none."""
    return min((minutes for minutes, _ in rides), default=float("nan"))


def _median(rides: list[tuple[float, float]]) -> float:
    """The ride of the median train, services weighted by how often they run."""
    if not rides:
        return float("nan")
    ordered = sorted(rides)
    upto = np.cumsum([often for _, often in ordered])
    return ordered[int(np.searchsorted(upto, upto[-1] / 2))][0]
