"""What depends on which road: links closed in turn, and projects left out or built alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.circle import commuting_circle
from urbangeo.access.closures import Closures
from urbangeo.access.points import PlaceLike, amounts, as_points, check_inside
from urbangeo.access.times import check_direction, check_minutes
from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.projects import Project, Projects, ProjectSource

__all__ = ["critical_links", "door_to_door", "people", "rank_projects"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def people(places: gpd.GeoDataFrame, population: str | pd.Series | None) -> FloatArray | None:
    """Take the people of each place: a column's name, or a Series on the places' index.

    Raises
    ------
    InputError
        If there is no such column, or a value is missing, negative or not finite.
    """
    if population is None:
        return None
    if isinstance(population, pd.Series):
        lacking = places.index.difference(population.index)
        if len(lacking) or not population.index.is_unique:
            what = f"lacks {lacking[0]!r}" if len(lacking) else "names a place twice"
            raise InputError(f"population: its index {what}; give one value for each place.")
        given = population.reindex(places.index)
    elif population in places.columns:
        given = places[population]
    else:
        raise InputError(
            f"population is {population!r}, which is no column of the places; found: "
            f"{', '.join(map(str, places.columns))}."
        )
    return amounts(given, places["name"], "population")


@dataclass(eq=False)
class _Tally:
    """What closing each link does, added up."""

    ms: FloatArray
    limit_ms: float
    weight: FloatArray
    slot: IntArray
    pairs: IntArray
    lost: IntArray
    lost_weight: FloatArray
    added: FloatArray
    worst: FloatArray
    worst_pair: IntArray

    @classmethod
    def of(
        cls, ms: FloatArray, limit_ms: float, weight: FloatArray, slot: IntArray, count: int
    ) -> _Tally:
        def none(kind: type) -> NDArray[Any]:
            return np.zeros(count, dtype=kind)

        return cls(
            ms, limit_ms, weight, slot, none(np.int64), none(np.int64), none(float), none(float),
            none(float), np.full((count, 2), -1),
        )  # fmt: skip

    def add(self, links: IntArray, i: IntArray, j: IntArray, new: FloatArray) -> None:
        """Count pairs whose time a closure changes."""
        old = self.ms[i, j]
        counts = np.isfinite(old) & (old <= self.limit_ms)
        place, i, j = (one[counts] for one in (self.slot[links], i, j))
        new, old = new[counts], old[counts]
        gone = ~(np.isfinite(new) & (new <= self.limit_ms))
        np.add.at(self.pairs, place, 1)
        np.add.at(self.lost, place[gone], 1)
        np.add.at(self.lost_weight, place[gone], self.weight[i[gone]])
        more = np.where(np.isfinite(new), new - old, 0.0) / MS
        np.add.at(self.added, place, more * self.weight[i])
        # the worst is told once for each link, a pair that is cut off before any other
        rank = np.where(np.isfinite(new), more, np.inf)
        order = np.lexsort((j, i, -rank, place))
        first = np.ones(len(order), dtype=bool)
        first[1:] = place[order][1:] != place[order][:-1]
        order = order[first]
        better = (rank[order] > self.worst[place[order]]) | (
            (rank[order] == self.worst[place[order]])
            & self._earlier(place[order], i[order], j[order])
        )
        order = order[better]
        self.worst[place[order]] = rank[order]
        self.worst_pair[place[order]] = np.column_stack([i[order], j[order]])

    def _earlier(self, place: IntArray, i: IntArray, j: IntArray) -> NDArray[np.bool_]:
        known = self.worst_pair[place]
        earlier = (i < known[:, 0]) | ((i == known[:, 0]) & (j < known[:, 1]))
        return np.asarray((known[:, 0] < 0) | earlier)


def critical_links(
    net: Network,
    origins: PlaceLike,
    destinations: PlaceLike | None = None,
    links: str | Collection[str] | None = None,
    *,
    cutoff: float | None = None,
    population: str | pd.Series | None = None,
    modes: Iterable[str] = MODES,
    progress: bool = False,
) -> gpd.GeoDataFrame:
    """Close each link in turn, and tell whose closure hurts most.

    Parameters
    ----------
    net
        The network.
    origins, destinations
        Between which places one travels; among the origins if ``destinations`` is None.
    links
        Ids of the road links to close, or of services; every road link of the view if None.
    cutoff
        Minutes. Only pairs within it count, and one that needs longer afterwards is lost;
        inclusive. Every pair that has a way if None.
    population
        Column of ``origins`` that holds the people of each, or a Series on its index; each origin
        counts as one if None.
    modes
        Any of ``road``, ``rail`` and ``walk``.
    progress
        Show a progress bar.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, a row for each link, worst first: by ``lost_people``, then ``added_min``. Columns
        ``rank``, ``id``, ``mode``, ``class``, ``ref``, ``name``, ``from``, ``to``, ``pairs``
        (pairs whose time changes), ``lost`` (those that are not reached any more),
        ``lost_people`` (people at their origins), ``added_min`` (minutes x people over the pairs
        still reached), ``worst_min`` (infinite if a pair has no way left), ``worst_from``,
        ``worst_to`` and geometry. ``.attrs`` tells ``pairs`` that were asked about, ``unreached``
        ones among them, and the ``network``.

    Raises
    ------
    InputError
        If a place, the cutoff or the population cannot be used.
    UnknownNameError
        If the view has no such link or service.
    NetworkError
        If a link is a piece of railway, which stops no train.

    Notes
    -----
    Equal to ``travel_times(net.without(link), ...)`` for each link, which is how it is tested. A
    closure may shorten a way: a place that is snapped anew is tried at other roads. Of links that
    change nothing the columns are 0.
    """
    modes = check_modes(modes)
    check_network(net)
    limit = np.inf if cutoff is None else round(check_minutes(cutoff, "cutoff") * MS)
    begin = as_points(origins, "origins")
    end = begin if destinations is None else as_points(destinations, "destinations")
    check_inside(begin, net, "origins")
    weight = people(begin, population)
    roads, trains = _asked(net, links)
    shapes = [begin.geometry.array] if destinations is None else [
        begin.geometry.array, end.geometry.array
    ]  # fmt: skip
    points = gpd.GeoSeries(np.concatenate([np.asarray(one) for one in shapes]), crs=begin.crs)
    rows = np.arange(len(begin))
    columns = rows if destinations is None else len(begin) + np.arange(len(end))
    whole = Closures(net, points, rows, columns, modes)
    ms = whole.ms.copy()
    if destinations is None:
        np.fill_diagonal(ms, np.inf)  # nobody travels from a place to itself
    count = len(roads) + len(trains)
    slot = np.full(len(net._tables.links), -1, dtype=np.int64)
    slot[roads] = np.arange(len(roads))
    tally = _Tally.of(ms, limit, np.ones(len(begin)) if weight is None else weight, slot, count)
    with _bar(count, progress) as tick:
        whole.each(roads, tally.add, tick)
        for place, train in enumerate(trains, len(roads)):
            new = whole.without([train])
            i, j = np.nonzero(new != whole.ms)
            tally.slot = np.array([place])
            tally.add(np.zeros(len(i), dtype=np.int64), i, j, new[i, j])
            tick(1)
    return _ranking(net, roads, trains, tally, begin, end)


def _asked(net: Network, links: str | Collection[str] | None) -> tuple[IntArray, list[str]]:
    """Rows of the road links and ids of the services to close."""
    t, rows = net._tables, net.link_rows
    if links is None:
        return rows[t.is_road[rows]], []
    wanted = list(dict.fromkeys([links] if isinstance(links, str) else map(str, links)))
    if not wanted:
        raise InputError("links: none given; name some, or leave it out to close every road.")
    row_of = dict(zip(t.links["id"].iloc[rows], rows.tolist(), strict=True))
    known = set(t.services["service"].iloc[net.service_rows])
    roads, trains = [], []
    for one in wanted:
        if one in row_of and not t.is_road[row_of[one]]:
            raise NetworkError(
                f"{one!r} is a piece of railway. Trains run from station to station, so closing it "
                "stops none; give the ids of the services that it would stop."
            )
        if one in row_of:
            roads.append(row_of[one])
        elif one in known:
            trains.append(one)
        else:
            raise UnknownNameError("road link or service", one, sorted({*row_of, *known}))
    return np.array(roads, dtype=np.int64), trains


class _bar:  # noqa: N801 - used as a context, like a function
    """A progress bar that counts links, or none."""

    def __init__(self, total: int, shown: bool) -> None:
        from rich.progress import Progress

        self.bar = Progress(disable=not shown, transient=True)
        self.total = total

    def __enter__(self) -> Any:
        self.bar.start()
        task = self.bar.add_task("closing links", total=self.total)
        return lambda done: self.bar.advance(task, done)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


def _ranking(
    net: Network,
    roads: IntArray,
    trains: list[str],
    tally: _Tally,
    begin: gpd.GeoDataFrame,
    end: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    t = net._tables
    some = t.links.iloc[roads]
    ids = t.nodes["id"].to_numpy(dtype=object)
    frame = pd.DataFrame({one: some[one].astype(str) for one in ("id", "mode", "class", "ref")})
    frame["name"] = some["name"].astype(str)
    frame["from"], frame["to"] = ids[t.tail[roads]], ids[t.head[roads]]
    lines = list(t.lines.geometry[roads])
    if trains:
        of_train = t.services.drop_duplicates("service").set_index("service").loc[trains]
        calls = t.services.groupby("service")["station"]
        more = pd.DataFrame(
            {
                "id": trains,
                "mode": "rail",
                "class": of_train["class"].astype(str).to_numpy(),
                "ref": "",
                "name": of_train["name"].astype(str).to_numpy(),
                "from": calls.first().loc[trains].to_numpy(),
                "to": calls.last().loc[trains].to_numpy(),
            }
        )
        frame = pd.concat([frame, more], ignore_index=True)
        lines += [None] * len(trains)
    frame["pairs"], frame["lost"] = tally.pairs, tally.lost
    frame["lost_people"], frame["added_min"] = tally.lost_weight, tally.added
    frame["worst_min"] = tally.worst
    known = tally.worst_pair[:, 0] >= 0
    for column, side, table in (("worst_from", 0, begin), ("worst_to", 1, end)):
        names = table["name"].astype(str).to_numpy(dtype=object)
        frame[column] = np.where(known, names[tally.worst_pair[:, side]], "")
    made = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(lines, index=frame.index), crs=4326)
    made = made.sort_values(
        ["lost_people", "lost", "added_min", "id"], ascending=[False, False, False, True]
    )
    made = made.reset_index(drop=True)
    made.insert(0, "rank", np.arange(1, len(made) + 1))
    pairs = tally.ms.size - (len(begin) if begin is end else 0)
    made.attrs = {
        "pairs": pairs,
        "unreached": pairs - int(np.isfinite(tally.ms).sum()),
        "network": dict(net.describe()),
    }
    return made


# -- projects -----------------------------------------------------------------------------------


def door_to_door(
    net: Network,
    centres: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    modes: tuple[str, ...],
    direction: str,
) -> Closures:
    """The times between places and centres, ready for leaving links out.

    Places are the rows and centres the columns towards the centres, and the other way round from
    them.
    """
    points = gpd.GeoSeries(
        np.concatenate([np.asarray(one.geometry.array) for one in (centres, places)]),
        crs=centres.crs,
    )
    near, far = np.arange(len(centres)), len(centres) + np.arange(len(places))
    rows, columns = (far, near) if direction == "to" else (near, far)
    return Closures(net, points, rows, columns, modes)


def nearest(ms: FloatArray, direction: str) -> FloatArray:
    """Time of each place to the centre nearest to it, milliseconds."""
    least: FloatArray = ms.min(axis=1 if direction == "to" else 0)
    return least


def rank_projects(
    net: Network,
    centre: PlaceLike,
    minutes: float = 60.0,
    *,
    before: Network | None = None,
    projects: ProjectSource | None = None,
    places: PlaceLike | None = None,
    population: str | pd.Series | None = None,
    direction: str = "to",
    modes: Iterable[str] = MODES,
    progress: bool = False,
) -> pd.DataFrame:
    """Order a plan's projects by what each adds alone and by what is lost without it.

    Parameters
    ----------
    net
        The network with the projects, such as ``ug.Network.backbone(2025)``.
    centre, minutes, places, direction, modes
        As for :func:`urbangeo.commuting_circle`.
    before
        The network without them, made of the same tables, such as ``ug.Network.backbone(2022)``.
        If None, ``net`` without whatever of the projects is not 已建成 or has a planned year.
    projects
        A table of projects or its file, see :func:`urbangeo.network.projects.read_projects`; if
        None the bundled one where it fits, and the links' own names.
    population
        Column of ``places`` that holds the people of each, or a Series on its index; each place
        counts as one if None.
    progress
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        A row for each project that is drawn, best first: by ``gained_people``, then
        ``lost_people``, ``saved_min`` and ``missed_min``. Columns ``rank``, ``project``, ``title``,
        ``status``, ``planned_year``, ``cite``, ``links`` and ``services`` (how many it adds to
        ``before``), then for ``before`` with this project alone ``gained`` (names of the places
        that come inside), ``gained_towns``, ``gained_people``, ``saved_min`` (minutes x people over
        places that are reached with and without), and for ``net`` without it ``lost``,
        ``lost_towns``, ``lost_people`` and ``missed_min``; and ``reason`` where a project adds
        nothing that could change a time. What is lost is NaN where the project is not in ``net``.

    Raises
    ------
    InputError
        If a place, the minutes or the population cannot be used, or ``before`` is of other tables.
    TableError
        If the table of projects cannot be used.

    Notes
    -----
    What a project adds alone and what is lost without it differ where projects need or replace
    each other; neither is the sum of its parts.
    """
    limit = round(check_minutes(minutes) * MS)
    check_direction(direction)
    chosen = check_modes(modes)
    check_network(net)
    known = Projects.of(net, projects)
    if not known.all:
        raise InputError(
            f"{net.facts.title} has no planned link or service, and no table of projects names "
            "any; give one with projects=."
        )
    base = _base(net, known) if before is None else check_network(before)
    if base._tables is not net._tables and base._tables.digest != net._tables.digest:
        raise InputError(
            f"before ({base!r}) is not made of the same tables as net ({net!r}), so that a "
            "project of the one cannot be built into the other; use views of one network."
        )
    centres = as_points(centre, "centre")
    check_inside(centres, net, "centre")
    if places is None:
        first = commuting_circle(centre, minutes, net, direction=direction, modes=chosen)
        asked = first.towns
    else:
        asked = as_points(places, "places")
    weight = people(asked, population)
    weight = np.ones(len(asked)) if weight is None else weight
    names = asked["name"].astype(str).to_numpy(dtype=object)
    old = door_to_door(base, centres, asked, chosen, direction)
    new = door_to_door(net, centres, asked, chosen, direction)
    without_any, with_all = nearest(old.ms, direction), nearest(new.ms, direction)
    open_before, open_now = (_open_ids(one) for one in (base, net))
    rows = []
    with _bar(len(known.all), progress) as tick:
        for project in known.all:
            adds = [one for one in project.moving if one not in open_before]
            here = [one for one in adds if one in open_now]
            row = _row(project, adds)
            alone = without_any
            if adds:
                view = base.with_links(adds)
                alone = nearest(door_to_door(view, centres, asked, chosen, direction).ms, direction)
            row |= _effect(without_any, alone, limit, weight, names, ("gained", "saved_min"))
            if here or not adds:
                left = nearest(new.without(here), direction) if here else with_all
                row |= _effect(left, with_all, limit, weight, names, ("lost", "missed_min"))
            row["reason"] = _reason(project, adds)
            rows.append(row)
            tick(1)
    frame = pd.DataFrame(rows, columns=list(_RANKED))
    frame = frame.sort_values(
        ["gained_people", "lost_people", "saved_min", "missed_min", "project"],
        ascending=[False, False, False, False, True],
        na_position="last",
    ).reset_index(drop=True)
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame.attrs = {"network": dict(net.describe()), "before": dict(base.describe())}
    return frame


_RANKED = (
    *("project", "title", "status", "planned_year", "cite", "links", "services"),
    *("gained", "gained_towns", "gained_people", "saved_min"),
    *("lost", "lost_towns", "lost_people", "missed_min", "reason"),
)


def _open_ids(net: Network) -> set[str]:
    t = net._tables
    links, services = t.links["id"].iloc[net.link_rows], t.services["service"]
    return {*links, *services.iloc[net.service_rows]}


def _base(net: Network, known: Projects) -> Network:
    """The network without what the projects plan."""
    t = net._tables
    planned: set[str] = set()
    for table, column in ((t.links, "id"), (t.services, "service")):
        if len(table):
            some = (table["status"].astype(str) != "已建成") | table["planned_year"].notna()
            planned |= set(table[column][some])
    drawn = {one for project in known.all for one in project.moving}
    ids = sorted(planned & drawn & _open_ids(net))
    if not ids:
        raise InputError(
            f"{net!r} holds nothing of the projects that is not built; open it (ug.Network."
            "backbone(2025), net.with_links), or say with before= what to compare with."
        )
    return net.without(ids)


def _row(project: Project, adds: list[str]) -> dict[str, Any]:
    return {
        "project": project.key,
        "title": project.title,
        "status": project.status,
        "planned_year": project.planned_year,
        "cite": project.cite,
        "links": sum(one in project.links for one in adds),
        "services": sum(one in project.services for one in adds),
    }


def _effect(
    worse: FloatArray,
    better: FloatArray,
    limit_ms: float,
    weight: FloatArray,
    names: NDArray[np.object_],
    columns: tuple[str, str],
) -> dict[str, Any]:
    """What the better of two states of affairs has more than the other."""
    which, minutes = columns
    inside, outside = better <= limit_ms, worse <= limit_ms
    both = np.isfinite(worse) & np.isfinite(better)
    change = np.where(both, (np.where(both, worse, 0) - np.where(both, better, 0)) / MS, 0.0)
    some = inside & ~outside
    return {
        which: "、".join(names[some]),
        f"{which}_towns": float(some.sum()),
        f"{which}_people": float(weight[some].sum()),
        minutes: float((change * weight).sum()),
    }


def _reason(project: Project, adds: list[str]) -> str:
    if adds:
        return ""
    if not project.moving and project.railways:
        return "只有铁路线位，没有列车班次，不改变用时"
    if not project.moving:
        return "只有车站，不改变用时"
    return "两期路网中都已开通"
