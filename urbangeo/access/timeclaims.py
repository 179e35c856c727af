"""What the plans promise about time, tested on the network of the year.

The promises stand in ``promises.csv`` of a plan's folder, one row each, quoted. A plan seldom says
from where, by what and for whom; so a row lists every reading that its words allow, and each is
tested:

``origins``
    From where: names of places, ``;`` between those of which the nearest counts, or
    ``extent:<key>``, the county seats of an extent. Readings are parted by ``|``.
``targets``
    To where, in the same way.
``measures``
    What must be within the minutes: every one of the ``seats`` (of the counties of an extent, or
    the places named), every one of the ``towns`` that the gazetteer has in their counties, or all
    the land of these counties (``area``).
``modes``
    By what: ``road+rail`` takes whichever is faster.
``year``
    At whose end the network is asked.

A promise that no network of roads and rails can tell has ``testable`` 0 and says ``why``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from urbangeo.access.circle import MODE_NAMES, STATUS_NAMES, CommutingCircle, commuting_circle
from urbangeo.access.counties import land_shares
from urbangeo.errors import InputError, NetworkError, TableError, UnknownNameError
from urbangeo.network.network import MODES_KNOWN, Network, check_modes

if TYPE_CHECKING:
    import os

    from urbangeo.plans import Plan

__all__ = ["check_claims"]

_MEASURES = {"seats": "县城（城区）", "towns": "镇", "area": "土地"}
_EXTENT = "extent:"
_CELLS = 0.99  # the polygon is drawn on cells of 250 m; a hundredth of the land is their error
_COLUMNS = (
    *("promise", "name", "plan", "minutes", "quote", "cite", "line"),
    *("definition", "origins", "targets", "measure", "modes", "year"),
    *("result", "why", "borderline", "held", "asked", "share", "fails", "worst_min"),
    *("network", "profile", "digest"),
)

_TEXTS = (
    *("definition", "origins", "targets", "measure", "modes", "why", "fails"),
    *("network", "profile", "digest"),
)


def check_claims(
    plans: str | os.PathLike[str] | Plan | Iterable[Any] | None = None,
    networks: Network | Mapping[int, Network] | Callable[[int], Network] | None = None,
    *,
    only: str | Iterable[str] | None = None,
) -> pd.DataFrame:
    """Test every promise of time in the plans, in every reading that its words allow.

    Parameters
    ----------
    plans
        Keys, folders or plans; the bundled ones if None.
    networks
        Network of each year, a function that gives it, or one network for all years; the bundled
        skeleton at the end of the year if None.
    only
        Ids of promises; all if None.

    Returns
    -------
    pandas.DataFrame
        A row for each promise and reading: ``promise`` (id), ``name``, ``plan``, ``minutes``,
        ``quote``, ``cite``, ``line``; ``definition`` (in words), ``origins``, ``targets``,
        ``measure``, ``modes``, ``year``; ``result`` (``kept``, ``broken``, ``untestable``) with
        ``why``; ``borderline``: an error of the network's calibrated size would turn it;
        ``held`` of ``asked`` and their ``share`` (km² of the land for ``area``); ``fails``: who,
        and by how many minutes (or with what share of the land); ``worst_min``: minutes by which
        the worst fails, infinite where it has no way; ``network``, ``profile``, ``digest``.

    Raises
    ------
    UnknownNameError
        If a plan, a promise or a place of its table is not known.
    TableError
        If a row of ``promises.csv`` cannot be read.
    InputError
        If the network of a year is no network.

    Notes
    -----
    Times lead to the origin, door to door, as commuters travel in the morning. Land counts as
    all within when 99 % is: the surface has cells of 250 m. A promise kept on a schematic network
    is kept as far as the network can tell.
    """
    rows: list[dict[str, Any]] = []
    asked = _asked_plans(plans)
    wanted = None if only is None else {only} if isinstance(only, str) else set(only)
    of_year = _networks(networks)
    known: list[str] = []
    for one in asked:
        circles = _Circles(one, of_year)
        for _, promise in one.table("promises").iterrows():
            known.append(promise["id"])
            if wanted is None or promise["id"] in wanted:
                rows += _tested(one, promise, circles)
    missing = sorted((wanted or set()) - set(known))
    if missing:
        raise UnknownNameError("promise", missing[0], known)
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    whole = dict.fromkeys(("line", "year"), "Int64")
    numbers = dict.fromkeys(("minutes", "held", "asked", "share", "worst_min"), float)
    return table.astype({**whole, **numbers, "borderline": bool})


def _asked_plans(plans: Any) -> list[Plan]:
    import os

    from urbangeo.plans import Plan, plan
    from urbangeo.plans import plans as bundled

    if plans is None:
        plans = list(bundled()["key"])
    elif isinstance(plans, str | os.PathLike | Plan):
        plans = [plans]
    return [plan(one) for one in plans]


def _networks(
    networks: Network | Mapping[int, Network] | Callable[[int], Network] | None,
) -> Callable[[int], Network]:
    made: dict[int, Network] = {}

    def of_year(year: int) -> Network:
        if year not in made:
            if isinstance(networks, Network):
                found: object = networks
            elif networks is None:
                found = Network.backbone(year)
            elif isinstance(networks, Mapping):
                if year not in networks:
                    years = ", ".join(map(str, sorted(networks))) or "none"
                    raise NetworkError(f"没有给出 {year} 年的路网（给出的：{years}）")
                found = networks[year]
            else:
                found = networks(year)
            if not isinstance(found, Network):
                raise TypeError(f"The network of {year} is {found!r}; a Network is expected.")
            made[year] = found
        return made[year]

    return of_year


@dataclass(frozen=True)
class _Reading:
    """One way to read a promise.

    Attributes
    ----------
    origins, targets
        As the table has them.
    measure, modes, year
        What is measured, by what and when.
    """

    origins: str
    targets: str
    measure: str
    modes: tuple[str, ...]
    year: int


def _readings(plan: Plan, promise: pd.Series[Any]) -> list[_Reading]:
    """Every reading that a row lists.

    Raises
    ------
    TableError
        With all that cannot be read.
    """
    lists = {
        name: [one.strip() for one in promise[name].split("|") if one.strip()]
        for name in ("origins", "targets", "measures", "modes")
    }
    findings = [
        f"{promise['id']}, column {name!r}: expected a value, found none"
        for name, values in lists.items()
        if not values
    ]
    findings += [
        f"{promise['id']}, column 'measures': {one!r} is none of {', '.join(_MEASURES)}"
        for one in lists["measures"]
        if one not in _MEASURES
    ]
    findings += [
        f"{promise['id']}, column 'modes': {mode!r} is none of {', '.join(MODES_KNOWN)}"
        for one in lists["modes"]
        for mode in one.split("+")
        if mode not in MODES_KNOWN
    ]
    if pd.isna(promise["year_number"]):
        findings.append(f"{promise['id']}, column 'year': expected a year, found none")
    if not promise["minutes"] > 0:
        findings.append(f"{promise['id']}, column 'minutes': expected a number above 0")
    if findings:
        raise TableError(plan.folder / "promises.csv", findings)
    return [
        _Reading(origins, targets, measure, check_modes(modes.split("+")), year)
        for year, targets, measure, origins, modes in product(
            [int(promise["year_number"])],
            lists["targets"],
            lists["measures"],
            lists["origins"],
            lists["modes"],
        )
    ]


class _Circles:
    """The circles of a plan's promises, each made once."""

    def __init__(self, plan: Plan, of_year: Callable[[int], Network]) -> None:
        self.plan, self.of_year = plan, of_year
        self._made: dict[tuple[Any, ...], CommutingCircle] = {}

    def network(self, year: int) -> Network:
        return self.of_year(year)

    def circle(self, reading: _Reading, minutes: float) -> CommutingCircle:
        """The circle of an origin, asked about everything in the targets' counties."""
        key = (reading.origins, reading.targets, reading.modes, reading.year, minutes)
        if key not in self._made:
            self._made[key] = commuting_circle(
                self.places(reading.origins),
                minutes,
                self.of_year(reading.year),
                places=self.asked(reading.targets),
                modes=reading.modes,
            )
        return self._made[key]

    def places(self, text: str) -> gpd.GeoDataFrame:
        """The places that a cell names, or the county seats of an extent."""
        gazetteer = self.plan.gazetteer
        if text.startswith(_EXTENT):
            codes = self.codes(text)
            seats = gazetteer[
                (gazetteer["kind"] == "county_seat") & gazetteer["adcode"].isin(codes)
            ]
            if not len(seats):
                raise InputError(f"The gazetteer has no county seat in {text!r}.")
            return seats
        return pd.concat([self._place(one.strip()) for one in text.split(";") if one.strip()])

    def _place(self, name: str) -> gpd.GeoDataFrame:
        gazetteer = self.plan.gazetteer
        found = gazetteer[gazetteer["name"] == name]
        for kind in ("prefecture_seat", "county_seat"):
            if len(found) > 1 and (found["kind"] == kind).any():
                found = found[found["kind"] == kind]
        if len(found) == 1:
            return found
        from urbangeo.access.points import as_points

        return as_points(name, "place of a promise")

    def codes(self, text: str) -> list[str]:
        """Codes of the counties of an extent, or of the places named."""
        if text.startswith(_EXTENT):
            return sorted(self.plan.county_codes(text.removeprefix(_EXTENT)))
        return sorted(set(self.places(text)["adcode"].astype(str)))

    def asked(self, targets: str) -> gpd.GeoDataFrame:
        """Seats and towns of the targets; ``measure`` says which of them each is."""
        seats = self.places(targets).assign(measure="seats")
        gazetteer = self.plan.gazetteer
        towns = gazetteer[
            (gazetteer["kind"] == "town") & gazetteer["adcode"].isin(self.codes(targets))
        ]
        both = pd.concat([seats, towns.assign(measure="towns")], ignore_index=True)
        return gpd.GeoDataFrame(both, geometry="geometry", crs=seats.crs)

    def title(self, text: str) -> str:
        """Tell a cell in words."""
        if not text.startswith(_EXTENT):
            return "、".join(one.strip() for one in text.split(";"))
        key = text.removeprefix(_EXTENT)
        try:
            return self.plan.extent(key).title
        except UnknownNameError:
            from urbangeo.plans import extent

            return extent(key).title


def _tested(plan: Plan, promise: pd.Series[Any], circles: _Circles) -> list[dict[str, Any]]:
    """Test all readings of a promise."""
    about = {
        "promise": promise["id"],
        "name": promise["name"],
        "plan": plan.key,
        "minutes": promise["minutes"],
        "quote": promise["quote"],
        "cite": promise["cite"],
        "line": promise["line"],
        "borderline": False,
        **dict.fromkeys(_TEXTS, ""),
    }
    nothing = dict.fromkeys(("held", "asked", "share", "worst_min"), np.nan)
    if promise["testable"] != "1":
        year = promise["year_number"]
        told = {"result": "untestable", "why": promise["why"]}
        return [{**about, **nothing, **told, "year": None if pd.isna(year) else int(year)}]
    rows = []
    for reading in _readings(plan, promise):
        row = {
            **about,
            **nothing,
            "definition": _definition(reading, promise["minutes"], circles),
            "origins": reading.origins,
            "targets": reading.targets,
            "measure": reading.measure,
            "modes": "+".join(reading.modes),
            "year": reading.year,
        }
        try:
            net = circles.network(reading.year)
        except NetworkError as error:
            rows.append({**row, "result": "untestable", "why": str(error)})
            continue
        row |= {
            "network": net.facts.title,
            "profile": net.profile.name,
            "digest": net.digest,
        }
        rows.append({**row, **_verdict(reading, promise["minutes"], circles)})
    return rows


def _definition(reading: _Reading, minutes: float, circles: _Circles) -> str:
    """Tell a reading in one sentence of Chinese."""
    start = circles.title(reading.origins)
    if reading.origins.startswith(_EXTENT):
        start += "各县（区）城中最近的一个"
    elif ";" in reading.origins:
        start += "中最近的一个"
    goal = circles.title(reading.targets)
    what = {"seats": "的每个县城（城区）", "towns": "（地名库所载的每个镇）", "area": "的全部土地"}
    whole = what[reading.measure]
    if reading.measure == "seats" and not reading.targets.startswith(_EXTENT):
        whole = "各处" if ";" in reading.targets else ""
    modes = "或".join(MODE_NAMES[one] for one in reading.modes)
    return (
        f"{goal}{whole}到{start}，{modes}，门到门不超过 {minutes:g} 分钟（{reading.year} 年末路网）"
    )


def _verdict(reading: _Reading, minutes: float, circles: _Circles) -> dict[str, Any]:
    """Test one reading."""
    try:
        circle = circles.circle(reading, minutes)
    except NetworkError as missing:
        return {"result": "untestable", "why": f"路网没有这种方式：{missing}"}
    error = circle.net.facts.error_share or 0.0
    if reading.measure == "area":
        return _land(reading, circles, circle)
    places = circle._verdicts
    places = places[places["measure"] == reading.measure]
    if not len(places):
        why = f"地名库在这些县没有{_MEASURES[reading.measure]}"
        return {"result": "untestable", "why": why}
    inside = places["status"] == "inside"
    lost = places[~inside].sort_values("minutes", ascending=False, na_position="first")
    over = (lost["minutes"] - minutes).fillna(np.inf)
    slowest = float(places["minutes"].fillna(np.inf).max())
    return {
        "result": "kept" if inside.all() else "broken",
        "why": "" if inside.all() else _reasons(lost),
        "borderline": bool(abs(slowest - minutes) < error * slowest) and np.isfinite(slowest),
        "held": int(inside.sum()),
        "asked": len(places),
        "share": float(inside.mean()),
        "fails": "；".join(
            f"{name} +{one:.1f}" if np.isfinite(one) else f"{name}（{STATUS_NAMES[status]}）"
            for name, status, one in zip(lost["name"], lost["status"], over, strict=True)
        ),
        "worst_min": float(over.max()) if len(over) else 0.0,
    }


def _reasons(lost: gpd.GeoDataFrame) -> str:
    """Why places have no way at all, where some have none."""
    told = lost.loc[lost["status"] != "outside", "reason"]
    return "；".join(dict.fromkeys(one for one in told if one))


def _land(reading: _Reading, circles: _Circles, circle: CommutingCircle) -> dict[str, Any]:
    """Test whether all land lies within."""
    codes = circles.codes(reading.targets)
    names = dict(
        zip(circles.plan.county_layer["adcode"], circles.plan.county_layer["name"], strict=True)
    )
    land = land_shares(lambda: circle.polygon, codes, circles.plan.county_layer)
    held, asked = float(land["area_inside_km2"].sum()), float(land["area_km2"].sum())
    lost = land[land["area_share"] < _CELLS].sort_values("area_share")
    kept = held >= _CELLS * asked
    return {
        "result": "kept" if kept else "broken",
        "why": "" if kept else f"圈外土地 {asked - held:,.0f} 平方公里",
        "held": held,
        "asked": asked,
        "share": held / asked,
        "fails": "；".join(
            f"{names[code]} {100 * (1 - share):.0f}%"
            for code, share in zip(lost.index, lost["area_share"], strict=True)
        ),
    }
