"""Before and after: which places a change brings inside, and because of which of its parts.

What a planned road does is not told by whether the new way uses it. Each project on the new way of
a place is left out of the network afterwards and the place is asked again: only what makes it
slower then is a reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.circle import CommutingCircle, commuting_circle
from urbangeo.access.closures import Closures
from urbangeo.access.critical import door_to_door, nearest, people
from urbangeo.access.points import PlaceLike, as_points
from urbangeo.access.question import ANSWERS
from urbangeo.access.times import check_direction, check_minutes
from urbangeo.errors import InputError
from urbangeo.files import write_by_suffix
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, Network, check_modes
from urbangeo.network.projects import Project, Projects, ProjectSource

__all__ = ["Comparison", "compare"]

FloatArray = NDArray[np.float64]

CHANGES = ("gained", "lost", "stayed", "never")
_CHANGE_NAMES = {"gained": "新进圈", "lost": "掉出圈", "stayed": "一直在圈", "never": "一直不在"}
_ANSWERS = (
    *("change", "status_before", "status_after", "minutes_before", "minutes_after"),
    *("saved_min", "because"),
)
_BECAUSE = (
    *("place", "name", "change", "saved_min", "project", "title", "ids", "status"),
    *("planned_year", "cite", "minutes_without", "effect_min", "decisive", "confirmed", "together"),
)
_MOST_NAMES = 8


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a change of the network does to a commuting circle.

    Attributes
    ----------
    before, after
        The two circles; same centres, minutes, direction, modes and places.
    towns
        A row for each place, on the caller's index: its columns, then ``change`` (``gained``,
        ``lost``, ``stayed``, ``never`` inside), ``status_before``, ``status_after``,
        ``minutes_before``, ``minutes_after``, ``saved_min`` (NaN unless reached in both; negative
        if slower) and ``because`` (titles of the confirmed projects).
    because
        A row for each place and project on its new way: ``place`` (its label in ``towns``),
        ``name``, ``change``, ``saved_min``, ``project``, ``title``, ``ids`` (of the project, those
        on the way, joined with ``|``), ``status``, ``planned_year``, ``cite``,
        ``minutes_without`` (with the whole project left out of ``after``; infinite if the place is
        not reached then), ``effect_min`` (how much longer that is), ``decisive`` (the place
        falls out without it), ``confirmed`` (it is slower without it) and ``together`` (the row
        leaves out all projects on the way at once, which is asked where none alone is decisive
        for a place that was gained, or none alone is confirmed).
    people
        People of each place, or None.
    """

    before: CommutingCircle
    after: CommutingCircle
    towns: gpd.GeoDataFrame
    because: pd.DataFrame
    people: FloatArray | None

    @property
    def gained(self) -> gpd.GeoDataFrame:
        """Places that come inside, the fastest first."""
        return self._some("gained", "minutes_after")

    @property
    def lost(self) -> gpd.GeoDataFrame:
        """Places that fall out, the fastest before first."""
        return self._some("lost", "minutes_before")

    @property
    def stayed(self) -> gpd.GeoDataFrame:
        """Places that are inside before and after, those that save most first."""
        return self._some("stayed", "saved_min", ascending=False)

    def _some(self, change: str, by: str, *, ascending: bool = True) -> gpd.GeoDataFrame:
        some = self.towns[self.towns["change"] == change]
        return some.sort_values([by, "name"], ascending=[ascending, True], kind="stable")

    @cached_property
    def counties(self) -> pd.DataFrame:
        """Per county: places asked about, inside before and after, gained and lost, minutes saved.

        Columns ``adcode``, ``county``, ``places``, ``before``, ``after``, ``gained``, ``lost``,
        ``share_before``, ``share_after``, ``saved_min`` (mean over places reached in both) and,
        with people, ``people``, ``people_before``, ``people_after``. County seats count as places.
        """
        towns = self.towns
        frame = pd.DataFrame(
            {
                "adcode": towns["adcode"].astype(str),
                "county": towns["county"].astype(str),
                "before": towns["status_before"] == "inside",
                "after": towns["status_after"] == "inside",
                "gained": towns["change"] == "gained",
                "lost": towns["change"] == "lost",
                "saved_min": towns["saved_min"],
                "people": 0.0 if self.people is None else self.people,
            }
        )
        frame["people_before"] = frame["people"] * frame["before"]
        frame["people_after"] = frame["people"] * frame["after"]
        frame = frame[frame["adcode"] != ""]
        sums = ["before", "after", "gained", "lost"]
        sums += [] if self.people is None else ["people", "people_before", "people_after"]
        groups = frame.groupby("adcode", sort=True)
        made = groups["county"].first().to_frame()
        made["places"] = groups.size()
        made[sums] = groups[sums].sum()
        for when in ("before", "after"):
            made[f"share_{when}"] = made[when] / made["places"]
        made["saved_min"] = groups["saved_min"].mean()
        order = ["adcode", "county", "places", *sums[:4], "share_before", "share_after"]
        return made.reset_index()[[*order, "saved_min", *sums[4:]]]

    @cached_property
    def population(self) -> Mapping[str, float] | None:
        """People of the places inside: ``before``, ``after``, ``gained``, ``lost``; or None."""
        if self.people is None:
            return None
        change = self.towns["change"]
        sums = {one: float(self.people[(change == one).to_numpy()].sum()) for one in CHANGES}
        return MappingProxyType(
            {
                "before": sums["stayed"] + sums["lost"],
                "after": sums["stayed"] + sums["gained"],
                "gained": sums["gained"],
                "lost": sums["lost"],
            }
        )

    @cached_property
    def area(self) -> gpd.GeoDataFrame:
        """The land inside, from the circles' polygons; EPSG:4326.

        Rows ``before``, ``after``, ``gained``, ``lost``; column ``area_km2``. Computed when asked
        for: it takes both circles' surfaces.
        """
        from urbangeo.crs import geodesic_area_km2

        old, new = self.before.polygon, self.after.polygon
        shapes = {
            "before": old,
            "after": new,
            "gained": new.difference(old),
            "lost": old.difference(new),
        }
        made = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"))
        made.insert(0, "area_km2", geodesic_area_km2(made.geometry))
        return made

    def summary(self) -> str:
        """Tell the comparison in a few sentences of Chinese that can be quoted."""
        return _summarise(self)

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the comparison: .csv (places), .xlsx, .json or .gpkg; whole or not at all.

        Raises
        ------
        InputError
            If the suffix is another.
        OutputError
            If the file cannot be written.
        """
        write_by_suffix(self, path, _WRITERS)

    def __repr__(self) -> str:
        """Give the summary, which is what one wants to see."""
        return self.summary()


def compare(
    before: Network | CommutingCircle,
    after: Network | CommutingCircle,
    centre: PlaceLike | None = None,
    minutes: float = 60.0,
    *,
    places: PlaceLike | None = None,
    population: str | pd.Series | None = None,
    projects: ProjectSource | None = None,
    direction: str = "to",
    modes: Iterable[str] = MODES,
    least_min: float = 1.0,
) -> Comparison:
    """Compare two networks, or two circles, and tell because of what they differ.

    Parameters
    ----------
    before, after
        Two networks, such as ``net.at(2022)`` and ``net.at(2025)``; or two circles of the same
        centres, minutes, direction, modes and places.
    centre, minutes, places, direction, modes
        As for :func:`urbangeo.commuting_circle`; not with circles, which have theirs. Without
        ``places``, those that either network covers.
    population
        Column of the places that holds the people of each, or a Series on their index.
    projects
        How planned links are grouped: a table or its file, see
        :func:`urbangeo.network.projects.read_projects`; if None the bundled one where it fits, and
        the links' own names.
    least_min
        Explain places that come inside, and those that save at least so many minutes.

    Raises
    ------
    InputError
        If the circles differ in what was asked, or a place, number or population cannot be used.
    TableError
        If the table of projects cannot be used.
    """
    if not (isinstance(least_min, int | float) and np.isfinite(least_min) and least_min >= 0):
        raise InputError(f"least_min is {least_min!r}; a number of 0 or more minutes is expected.")
    circles = isinstance(before, CommutingCircle), isinstance(after, CommutingCircle)
    if all(circles):
        if centre is not None or places is not None:
            raise InputError("Two circles have their own centre and places; leave these out.")
        assert isinstance(before, CommutingCircle)
        assert isinstance(after, CommutingCircle)
        _check_same(before, after)
        old, new = before, after
    elif any(circles) or not (isinstance(before, Network) and isinstance(after, Network)):
        raise InputError(
            f"before is a {type(before).__name__}, after a {type(after).__name__}; two networks "
            "or two circles are expected."
        )
    else:
        if centre is None:
            raise InputError("centre is missing: say to which place the networks are compared.")
        check_minutes(minutes)
        check_direction(direction)
        options: dict[str, Any] = {"direction": direction, "modes": check_modes(modes)}
        old, new = _circles(before, after, centre, minutes, places, options)
    weight = people(old.towns, population)
    towns = _towns(old, new)
    because = _reasons(old, new, towns, projects, least_min)
    towns["because"] = _told(towns, because)
    order = [one for one in towns.columns if one not in _ANSWERS]
    return Comparison(old, new, towns[[*order, *_ANSWERS]], because, weight)


def _circles(
    before: Network,
    after: Network,
    centre: PlaceLike,
    minutes: float,
    places: PlaceLike | None,
    options: dict[str, Any],
) -> tuple[CommutingCircle, CommutingCircle]:
    """Ask both networks about the same places."""
    if places is not None:
        places = as_points(places, "places")
    old = commuting_circle(centre, minutes, before, places=places, **options)
    new = commuting_circle(centre, minutes, after, places=places, **options)
    if places is None and not _same_places(old.towns, new.towns):
        columns = [one for one in old.towns.columns if one in new.towns.columns]
        both = pd.concat([_asked(old)[columns], _asked(new)[columns]], ignore_index=True)
        both = both.drop_duplicates(["name", "adcode", "lon", "lat"]).reset_index(drop=True)
        asked = gpd.GeoDataFrame(both, geometry="geometry", crs=old.towns.crs)
        old = commuting_circle(centre, minutes, before, places=asked, **options)
        new = commuting_circle(centre, minutes, after, places=asked, **options)
    return old, new


def _asked(circle: CommutingCircle) -> gpd.GeoDataFrame:
    """The places of a circle without what it answered."""
    given = [one for one in circle.towns.columns if one not in ANSWERS]
    return circle.towns[given]


def _same_places(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> bool:
    keys = ["name", "adcode", "lon", "lat"]
    return bool(one.index.equals(other.index) and one[keys].equals(other[keys]))


def _check_same(before: CommutingCircle, after: CommutingCircle) -> None:
    """Refuse circles that were asked different questions."""
    questions = {
        "minutes": (before.minutes, after.minutes),
        "direction": (before.direction, after.direction),
        "modes": (before.modes, after.modes),
        "centre": (_spots(before.centres), _spots(after.centres)),
    }
    for what, (one, other) in questions.items():
        if one != other:
            raise InputError(
                f"The circles differ in {what}: {one} before, {other} after. Ask both the same."
            )
    if not _same_places(before.towns, after.towns):
        raise InputError(
            f"The circles were asked about different places ({len(before.towns)} before, "
            f"{len(after.towns)} after, or in another order); give both the same places=."
        )


def _spots(points: gpd.GeoDataFrame) -> str:
    rows = zip(points["name"], points["lon"], points["lat"], strict=True)
    return "、".join(f"{name} ({lon:g}, {lat:g})" for name, lon, lat in rows)


def _towns(old: CommutingCircle, new: CommutingCircle) -> gpd.GeoDataFrame:
    towns = _asked(old).copy()
    clash = {one: f"{one}_given" for one in _ANSWERS if one in towns.columns}
    towns = towns.rename(columns=clash)
    was, now = old.towns["status"] == "inside", new.towns["status"] == "inside"
    change = np.select([now & ~was, was & ~now, was & now], CHANGES[:3], default=CHANGES[3])
    towns["change"] = change
    towns["status_before"], towns["status_after"] = old.towns["status"], new.towns["status"]
    towns["minutes_before"], towns["minutes_after"] = old.towns["minutes"], new.towns["minutes"]
    towns["saved_min"] = towns["minutes_before"] - towns["minutes_after"]
    return towns


def _reasons(
    old: CommutingCircle,
    new: CommutingCircle,
    towns: gpd.GeoDataFrame,
    source: ProjectSource | None,
    least_min: float,
) -> pd.DataFrame:
    """Leave out, one after another, the projects on the new ways, and ask again."""
    fresh = _new_ids(old.net, new.net)
    saved = towns["saved_min"].to_numpy(dtype=float)
    reached_now = np.isfinite(towns["minutes_after"].to_numpy(dtype=float))
    newly = reached_now & ~np.isfinite(towns["minutes_before"].to_numpy(dtype=float))
    wanted = (towns["change"] == "gained").to_numpy() | newly
    wanted |= np.nan_to_num(saved, nan=-1.0) >= max(least_min, 1 / MS)
    if not fresh or not wanted.any():
        return pd.DataFrame(columns=list(_BECAUSE))
    known = Projects.of(new.net, source)
    asked = new.towns[wanted]
    doors = door_to_door(new.net, new.centres, asked, new.modes, new.direction)
    used = _on_ways(doors, new.direction, fresh)
    times = _Times(doors, new.direction, new.minutes, fresh)
    rows: list[dict[str, Any]] = []
    for place, label in enumerate(asked.index):
        change = str(towns["change"].to_numpy()[wanted][place])
        about = {
            "place": label,
            "name": str(asked["name"].iloc[place]),
            "change": change,
            "saved_min": saved[wanted][place],
        }
        groups = _grouped(used[place], known)
        found = [
            {**about, **_named(project, ids), **times.without(place, (project,))}
            for project, ids in groups.items()
        ]
        enough = "decisive" if change == "gained" else "confirmed"
        if len(found) > 1 and not any(one[enough] for one in found):
            both = times.without(place, tuple(groups))
            found.append({**about, **_all_named(groups), **both, "together": True})
        rows += sorted(found, key=lambda one: (-one["effect_min"], one["project"]))
    return pd.DataFrame(rows, columns=list(_BECAUSE))


def _new_ids(old: Network, new: Network) -> set[str]:
    """Roads and services that only the network afterwards has open."""

    def opened(net: Network) -> tuple[set[str], set[str]]:
        t = net._tables
        links = t.links["id"].iloc[net.link_rows[t.is_road[net.link_rows]]]
        return set(links), set(t.services["service"].iloc[net.service_rows])

    (links, trains), (was_links, was_trains) = opened(new), opened(old)
    return (links - was_links) | (trains - was_trains)


def _on_ways(doors: Closures, direction: str, fresh: set[str]) -> list[list[str]]:
    """For each place the new links and services on its fastest way."""
    count = len(doors.rows) if direction == "to" else len(doors.columns)
    ids = doors.net._tables.links["id"].to_numpy(dtype=object)
    nearest_centre = doors.ms.argmin(axis=1 if direction == "to" else 0)
    used: list[list[str]] = [[] for _ in range(count)]
    for i, j, links, trains in doors.ways():
        place, centre = (i, j) if direction == "to" else (j, i)
        if nearest_centre[place] == centre:
            used[place] = [one for one in (*ids[links], *trains) if one in fresh]
    return used


def _grouped(ids: list[str], known: Projects) -> dict[Project, list[str]]:
    """The projects that some links and services belong to; what belongs to none is its own."""
    groups: dict[Project, list[str]] = {}
    for one in ids:
        for project in known.by_id.get(one, (_alone(one),)):
            groups.setdefault(project, []).append(one)
    return groups


def _alone(one: str) -> Project:
    return Project(one, one, (one,), (), (), (), "", "", "")


def _named(project: Project, ids: list[str]) -> dict[str, Any]:
    return {
        "project": project.key,
        "title": project.title,
        "ids": "|".join(ids),
        "status": project.status,
        "planned_year": project.planned_year,
        "cite": project.cite,
        "together": False,
    }


def _all_named(groups: dict[Project, list[str]]) -> dict[str, Any]:
    def joined(column: str, by: str) -> str:
        return by.join(dict.fromkeys(getattr(one, column) for one in groups))

    ids = dict.fromkeys(one for some in groups.values() for one in some)
    return {
        "project": joined("key", " + "),
        "title": joined("title", " + "),
        "ids": "|".join(ids),
        "status": joined("status", ";"),
        "planned_year": joined("planned_year", ";"),
        "cite": joined("cite", ";"),
    }


class _Times:
    """Times of the places with projects left out, each set of projects asked about once."""

    def __init__(self, doors: Closures, direction: str, minutes: float, fresh: set[str]) -> None:
        self.doors, self.direction, self.fresh = doors, direction, fresh
        self.limit = round(minutes * MS)
        self.now = nearest(doors.ms, direction)
        self.known: dict[frozenset[str], FloatArray] = {}

    def without(self, place: int, projects: tuple[Project, ...]) -> dict[str, Any]:
        """What leaving projects out does to a place; only what is new of them is left out."""
        ids = frozenset(one for each in projects for one in each.moving if one in self.fresh)
        if ids not in self.known:
            self.known[ids] = nearest(self.doors.without(ids), self.direction)
        then, now = self.known[ids][place], self.now[place]
        return {
            "minutes_without": then / MS,
            "effect_min": (then - now) / MS,
            "decisive": bool(now <= self.limit < then),
            "confirmed": bool(then > now),
        }


def _told(towns: gpd.GeoDataFrame, because: pd.DataFrame) -> list[str]:
    """Name the confirmed projects of each place, the one with the largest effect first."""
    told: dict[Any, list[str]] = {}
    for row in because.itertuples():
        if row.confirmed:
            told.setdefault(row.place, []).append(str(row.title))
    return ["、".join(dict.fromkeys(told.get(one, []))) for one in towns.index]


# -- for people and machines --------------------------------------------------------------------


def _when(circle: CommutingCircle) -> str:
    net = circle.network
    return f"{net['year']} 年末" if net["year"] is not None else "全部年份"


def _names(towns: pd.DataFrame) -> str:
    names = [str(one) for one in towns["name"]]
    more = f"等 {len(names)} 处" if len(names) > _MOST_NAMES else ""
    return "、".join(names[:_MOST_NAMES]) + more


def _summarise(result: Comparison) -> str:
    old, new, towns = result.before, result.after, result.towns
    centre = "、".join(new.centres["name"].astype(str))
    heading = f"到{centre}" if new.direction == "to" else f"从{centre}出发"
    was, now = (int((towns[one] == "inside").sum()) for one in ("status_before", "status_after"))
    when = (_when(old), _when(new))
    if when[0] == when[1]:
        when = ("变化前", "变化后")
    text = [
        (
            f"{heading} {new.minutes:g} 分钟以内：{when[0]} {was} 处，{when[1]} {now} 处"
            f"（所问 {len(towns)} 处）。"
        )
    ]
    gained, lost = result.gained, result.lost
    if len(gained):
        text.append(f"新进圈 {len(gained)} 处：{_names(gained)}。")
    if len(lost):
        text.append(f"掉出圈 {len(lost)} 处：{_names(lost)}。")
    if not len(gained) and not len(lost):
        text.append("圈内外没有变化。")
    faster = towns[towns["saved_min"] > 0].sort_values("saved_min", ascending=False, kind="stable")
    if len(faster):
        first = faster.iloc[0]
        text.append(
            f"{len(faster)} 处用时缩短，最多的是{first['name']}"
            f"（{first['minutes_before']:.1f} 分降到 {first['minutes_after']:.1f} 分）。"
        )
    slower = towns[towns["saved_min"] < 0]
    if len(slower):
        text.append(f"{len(slower)} 处用时变长。")
    text += _because_text(result)
    if result.population is not None:
        sums = result.population
        text.append(
            f"圈内人口由 {sums['before']:,.0f} 增至 {sums['after']:,.0f}。"
            if sums["after"] >= sums["before"]
            else f"圈内人口由 {sums['before']:,.0f} 减至 {sums['after']:,.0f}。"
        )
    text.append("通勤圈按时间划定，是通勤联系的替代指标，不是实测通勤量。")
    if new.network["schematic"] or old.network["schematic"]:
        text.append("路网为手工骨架，结果仅为示意。")
    return "".join(text)


def _because_text(result: Comparison) -> list[str]:
    rows = result.because
    if not len(rows):
        return []
    text = []
    decisive = rows[(rows["change"] == "gained") & rows["decisive"].astype(bool)]
    for title, some in decisive.groupby("title", sort=False):
        text.append(f"没有{title}，{_names(some)}就不在圈内。")
    explained = set(decisive["place"])
    open_ones = result.gained[[one not in explained for one in result.gained.index]]
    if len(open_ones):
        text.append(f"{_names(open_ones)}进圈不取决于任何一个新项目。")
    return text


_SHEETS = {"城镇": "towns", "县（市、区）": "counties", "原因": "because"}
_HEADINGS = {
    "name": "名称", "county": "县（市、区）", "change": "变化", "minutes_before": "变化前（分）",
    "minutes_after": "变化后（分）", "saved_min": "缩短（分）", "because": "原因项目",
    "title": "项目", "status": "状态", "planned_year": "计划年", "cite": "出处",
    "minutes_without": "不建该项目（分）", "effect_min": "多花（分）", "decisive": "决定进圈",
    "confirmed": "已证实", "together": "合并检验", "ids": "路段与车次",
    "places": "处数", "before": "变化前", "after": "变化后", "gained": "新进", "lost": "掉出",
    "share_before": "变化前占比", "share_after": "变化后占比", "people": "人口",
    "people_before": "变化前人口", "people_after": "变化后人口", "adcode": "代码",
}  # fmt: skip


def _flat(result: Comparison) -> pd.DataFrame:
    towns = result.towns
    flat = pd.DataFrame(towns.drop(columns=towns.geometry.name))
    if not isinstance(flat.index, pd.RangeIndex):
        flat.insert(0, "index" if flat.index.name is None else str(flat.index.name), flat.index)
    return flat.round(dict.fromkeys(("minutes_before", "minutes_after", "saved_min"), 3))


def _about(result: Comparison) -> list[tuple[str, str]]:
    new = result.after
    rows = [
        ("summary", result.summary()),
        ("centre", "、".join(new.centres["name"].astype(str))),
        ("minutes", f"{new.minutes:g}"),
        ("direction", new.direction),
        ("modes", "+".join(new.modes)),
    ]
    for when, circle in (("before", result.before), ("after", new)):
        for key, value in circle.network.items():
            text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((f"{when}.{key}", text))
    return rows


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    from urbangeo.report import _plain

    return [
        {str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")
    ]


def _record(result: Comparison) -> dict[str, Any]:
    """The comparison as plain values for JSON; what is not finite is null."""
    new = result.after
    population = result.population
    return {
        "centre": [str(one) for one in new.centres["name"]],
        "minutes": new.minutes,
        "direction": new.direction,
        "modes": list(new.modes),
        "summary": result.summary(),
        "before": dict(result.before.network),
        "after": dict(new.network),
        "population": None if population is None else dict(population),
        "towns": _records(_flat(result)),
        "counties": _records(result.counties),
        "because": _records(result.because),
    }


def _write_csv(result: Comparison, path: Path) -> None:
    _flat(result).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _write_json(result: Comparison, path: Path) -> None:
    import json

    text = json.dumps(_record(result), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_xlsx(result: Comparison, path: Path) -> None:
    from urbangeo.report import write_workbook

    frames = {"towns": _flat(result), "counties": result.counties, "because": result.because}
    sheets = {}
    for title, which in _SHEETS.items():
        frame = frames[which].drop(columns=["place"], errors="ignore")
        if "change" in frame.columns:
            frame = frame.assign(change=frame["change"].map(_CHANGE_NAMES))
        sheets[title] = frame.rename(columns=_HEADINGS)
    sheets["说明"] = pd.DataFrame(_about(result), columns=["项", "值"])
    write_workbook(path, sheets)


def _write_gpkg(result: Comparison, path: Path) -> None:
    from urbangeo.vector import write_gpkg

    area = result.area.reset_index(names="what")
    shown = area[~area.geometry.is_empty]
    tables = {
        "because": result.because.astype({"place": str}),
        "counties": result.counties,
        "about": pd.DataFrame(_about(result), columns=["key", "value"]),
    }
    write_gpkg(path, {"towns": result.towns, "area": shown}, tables)


_WRITERS = {".csv": _write_csv, ".xlsx": _write_xlsx, ".json": _write_json, ".gpkg": _write_gpkg}
