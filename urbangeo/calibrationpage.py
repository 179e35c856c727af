"""The page that says how true the bundled skeleton is: ``layers/network/CALIBRATION.md``.

Everything on it is computed from the tables beside it. :func:`fit` tells how well other sinuosities
and speeds would do on the half of the trips that they are chosen from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from urbangeo.calibration import (
    compare_lengths,
    compare_rides,
    compare_trips,
    length_within,
    split_pairs,
    summary,
)
from urbangeo.catalog import data_folder
from urbangeo.crs import equal_area
from urbangeo.layer import load
from urbangeo.network import Network
from urbangeo.network.profiles import TERRAINS, Profile, TerrainRule

__all__ = ["Calibration", "fit", "page"]

FROZEN = "2ad7b9a71d54ecae5620db68ab229131761115d24e13e74fb0f97ce7384c344e"
"""SHA-256 of ``published_trips.csv`` without remarks, when it was closed."""

GOAL = {"km": 0.05, "minutes": 0.08}
FAR = 0.20
ORDINARY = ("national", "provincial", "county")
MISSING = "**no reason known**"


@dataclass(frozen=True)
class Calibration:
    """The bundled network and the tables of published figures."""

    net: Network
    trips: pd.DataFrame
    lengths: pd.DataFrame
    minutes: pd.DataFrame
    terrain: pd.DataFrame
    totals: pd.DataFrame

    @classmethod
    def bundled(cls) -> Calibration:
        """Read what the package brings."""
        folder = data_folder() / "network"

        def table(name: str) -> pd.DataFrame:
            return pd.read_csv(folder / name, keep_default_na=False, dtype={"adcode": str})

        rides = table("published_minutes.csv")
        weak = rides["source"].str.contains("把握低", regex=False)
        rides["why_not"] = np.where(weak, "来源弱", "")
        return cls(
            Network.backbone(None),
            table("published_trips.csv"),
            table("published_lengths.csv"),
            rides,
            table("terrain.csv"),
            table("published_totals.csv"),
        )

    @cached_property
    def of_trips(self) -> pd.DataFrame:
        """Trips compared, with ``half``."""
        return compare_trips(self.net, self.trips).assign(half=split_pairs(self.trips))

    @cached_property
    def of_trips_flat(self) -> pd.DataFrame:
        """The same as if there were no terrain."""
        flat = replace(self.net.profile, terrain=MappingProxyType({}))
        counted = self.trips[self.trips["why_not"] == ""]
        return compare_trips(self.net.with_profile(flat), counted).assign(
            half=split_pairs(self.trips)[counted.index].to_numpy()
        )

    @cached_property
    def of_lengths(self) -> pd.DataFrame:
        """Lengths compared, with ``terrain``: the rougher one of the two ends."""
        found = compare_lengths(self.net, self.lengths)
        known = self.net.nodes.set_index("id")["terrain"]
        rank = {name: place for place, name in enumerate(("", *TERRAINS))}
        ends = [found[one].map(known).fillna("") for one in ("from_node", "to_node")]
        rougher = [max(pair, key=rank.__getitem__) for pair in zip(*ends, strict=True)]
        return found.assign(terrain=rougher)

    @cached_property
    def of_rides(self) -> pd.DataFrame:
        """Rides compared, with ``kept``: whether the minutes were kept back from the timetable."""
        found = compare_rides(self.net, self.minutes)
        read = ~found["source"].str.contains("记忆", regex=False)
        return found.assign(
            kept=np.where(found["use"] == "calibration", "used", "kept back"),
            known=np.where(read, "read", "remembered"),
        )


# -- the page --------------------------------------------------------------------------------


def percent(share: float, signed: bool = False) -> str:
    """Give a share in per cent; a dash for none."""
    if not np.isfinite(share):
        return "–"
    text = f"{abs(share) * 100:.1f} %"
    return text if not signed else f"{'−' if share < 0 else '+'}{text}"


def number(value: float, digits: int = 0) -> str:
    """Give a number with thousands apart; a dash for none."""
    return f"{value:,.{digits}f}" if np.isfinite(value) else "–"


def middle(told: pd.Series) -> tuple[str, str]:
    """Give the median and its interval."""
    return percent(told["median"]), f"{told['low'] * 100:.1f}–{told['high'] * 100:.1f} %"


def rows(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lay out a table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(one.replace("|", "/") for one in line) + " |"
    yield ""


def errors(groups: Mapping[str, pd.DataFrame], goal: float | None = None) -> Iterator[str]:
    """Lay out the errors of parts of a comparison."""
    lines = []
    for name, part in groups.items():
        told = summary(part).iloc[0]
        line = [name, f"{told['n']:.0f}", *middle(told), percent(told["p90"])]
        line += [percent(told["bias"], signed=True), f"{told['beyond']:.0f}"]
        if goal is not None:
            line.append("yes" if told["median"] <= goal else "no")
        lines.append(line)
    head = ["", "n", "median error", "90 % interval", "nine in ten within", "bias", "beyond 20 %"]
    yield from rows(head + ([f"median ≤ {goal:.0%}"] if goal is not None else []), lines)


def trip_groups(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The parts of the trips that the page tells."""
    is_check = found["half"] == "check"
    parts = {"all that count": found, "the half that was fitted": found[~is_check]}
    parts["**the other half (check)**"] = found[is_check]
    for reading, title in (("door", "from door to door"), ("gate", "from gate to gate")):
        parts[f"check, {title}"] = found[is_check & (found["reading"] == reading)]
    parts["check, without expressways"] = found[is_check & (found["roads"] == "ordinary")]
    for level in ("高", "中"):
        parts[f"check, confidence {level}"] = found[is_check & (found["confidence"] == level)]
    return {name: part for name, part in parts.items() if part["scored"].any()}


def reason(row: Mapping[Any, Any]) -> str:
    """Why a row is far off: its remark; empty if it is not."""
    said = str(row.get("remark", ""))
    if not row["scored"] or abs(row["error"]) <= FAR:
        return said
    return said or MISSING


def trip_lines(found: pd.DataFrame) -> Iterator[list[str]]:
    """Lines of a table of trips."""
    for row in found.to_dict("records"):
        unit = "km" if row["quantity"] == "km" else "min"
        ends = f"{row['from']}–{row['to']}"
        how = {"door": "door", "gate": "gate"}[row["reading"]]
        how += ", ordinary" if row["roads"] == "ordinary" else ""
        yield [
            ends,
            f"{row['year']:.0f}",
            how,
            f"{row['value']:g} {unit}",
            number(row["found"]),
            percent(row["error"], signed=True),
            row["half"],
            f"{row['source']}（{row['confidence']}）",
            reason(row),
        ]


def page(made: Calibration) -> str:
    """Compose the page."""
    return "\n".join(_page(made)) + "\n"


def _page(made: Calibration) -> Iterator[str]:
    yield from _verdict(made)
    yield from _whole(made)
    yield from _lengths(made)
    yield from _trips(made)
    yield from _rides(made)
    yield from _terrain(made)
    yield from _fitted()


def _verdict(made: Calibration) -> Iterator[str]:
    trips = made.of_trips
    yield "# How true the skeleton is: calibration"
    yield ""
    yield "Written by `scripts/calibrate.py` from the tables beside it;"
    yield "`tests/test_calibration.py` recomputes it. 示意."
    yield ""
    yield "Errors are found over published, less 1. *Nine in ten within* is the 90th"
    yield "percentile of the error's size."
    yield ""
    check = trips["half"] == "check"
    km, minutes = trips["quantity"] == "km", trips["quantity"] == "minutes"
    plain = km & (trips["roads"] == "ordinary")
    rides, lengths = made.of_rides, made.of_lengths
    kept = rides["kept"] == "kept back"
    lines = []
    for title, part, goal in (
        ("road distances, check half", trips[km & check], GOAL["km"]),
        ("road distances, all that count", trips[km], GOAL["km"]),
        ("of these without expressways, check half", trips[plain & check], GOAL["km"]),
        ("road times, check half", trips[minutes & check], GOAL["minutes"]),
        ("road times, all that count", trips[minutes], GOAL["minutes"]),
        ("station to station, kept back", rides[kept], GOAL["minutes"]),
        ("station to station, all", rides, GOAL["minutes"]),
        ("expressway sections", lengths[lengths["class"] == "expressway"], GOAL["km"]),
        ("railway sections", lengths[lengths["mode"] == "rail"], GOAL["km"]),
    ):
        told = summary(part).iloc[0]
        met = "**not met**"
        if told["median"] <= goal:
            met = "met" if told["high"] <= goal else "met, may be by chance"
        line = [title, f"{told['n']:.0f}", *middle(told), percent(told["p90"]), f"{goal:.0%}", met]
        lines.append(line)
    head = ["", "rows", "median error", "90 % interval", "nine in ten within", "goal", ""]
    yield from rows(head, lines)
    told_pairs = []
    for part in (trips[km], trips[minutes]):
        sides = [set(map(frozenset, zip(one["from"], one["to"], strict=True)))
                 for one in (part, part[part["scored"]])]  # fmt: skip
        told_pairs.append(f"{len(sides[0])} pairs of places, {len(sides[1])} of which count")
    yield f"Distances were compared for {told_pairs[0]};"
    yield f"times for {told_pairs[1]}. The 90 % interval is that of the median, by the"
    yield "order of the errors: with so few rows a median is known no better."
    yield ""
    yield "Every row that is off by more than a fifth has its reason in the tables below."
    yield "Where the drawn network is wrong (a road missing, a road too straight, an"
    yield "interchange not tied on), the reason says so (路网之误) and the speeds were not"
    yield "bent to hide it."
    yield ""
    yield "**What to make of it.** The published times are mostly round figures of press"
    yield "reports, and two reports of one trip differ by a tenth and more. A time of the"
    yield "skeleton is good to about a tenth; one in ten is off by a fifth to a third."
    yield "Nothing here licenses minutes after the decimal point. The two halves differ by"
    yield "chance more than by the fitting: the far outliers lie in one of them."
    yield ""


def _whole(made: Calibration) -> Iterator[str]:
    net = made.net
    counties = load("counties")
    cluster = load("counties", extent="qianzhong")
    yield "## The whole"
    yield ""
    yield "Expressways in operation at the end of the year, km; each link counts with the"
    yield "share of its line inside."
    yield ""
    lines = []
    rail, plan_rail = pd.Series(dtype=float), 0.0
    for row in made.totals.to_dict("records"):
        extent, kind, published = str(row["extent"]), str(row["class"]), float(row["km"])
        year = int(row["year"])
        within = cluster if extent else counties
        found = length_within(net.at(year), within.geometry)
        if kind == "rail":
            plan_rail = published
            rail = found[found["mode"] == "rail"].set_index("class")["km"]
            continue
        km = found.loc[found["class"] == kind, "km"].sum()
        lines.append(
            [
                "33 counties" if extent else "province",
                str(year),
                number(published),
                number(km),
                percent(km / published - 1, True),
                str(row["source"]),
            ]
        )
    yield from rows(["", "year", "published", "found", "error", "source"], lines)
    total = rail.sum()
    yield f"**Railways.** The plan has {plan_rail:,.0f} km in the 33 counties"
    yield "(qianzhong-2023, ch. 1 sec. 1). The skeleton has"
    yield f"{total:,.0f} km at the end of 2022: " + ", ".join(
        f"{one} {km:,.0f}" for one, km in rail.sort_values(ascending=False).items()
    )
    yield f"km. The difference of {plan_rail - total:,.0f} km is not an error that can"
    yield "be measured: the skeleton draws lines on which passengers ride, each once. The"
    yield "plan's figure is operated railway, with freight-only and branch lines, links"
    yield "between stations of 贵阳 and the parallel tracks of shared corridors counted by"
    yield "line; its text does not tell them apart. Conventional lines are drawn some 10 %"
    yield "short in the mountains besides (below)."
    yield ""


def _lengths(made: Calibration) -> Iterator[str]:
    found = made.of_lengths
    yield "## Lengths of routes"
    yield ""
    groups = {
        "expressways, used for the sinuosity 1.07": found[found["use"] == "calibration"],
        "expressways, kept back": found[
            (found["class"] == "expressway") & (found["use"] == "check")
        ],
    }
    for one in TERRAINS:
        part = found[(found["class"] == "expressway") & (found["terrain"] == one)]
        groups[f"expressways, an end in {one}"] = part
    for one in ("hsr", "conventional", "metro"):
        groups[one] = found[found["class"] == one]
    yield from errors({name: part for name, part in groups.items() if part["scored"].any()})
    yield "Sections that count:"
    yield ""
    lines = [
        [
            row["route"],
            row["section"],
            f"{row['km']:g}",
            number(row["found"], 1),
            percent(row["error"], True),
            row["use"],
            row["source"],
            reason(row),
        ]
        for row in found[found["scored"]].sort_values("class", kind="stable").to_dict("records")
    ]
    head = ["route", "section", "published km", "found", "error", "use", "source", "why so far off"]
    yield from rows(head, lines)
    left = int((~found["scored"]).sum())
    yield f"{left} more rows of `published_lengths.csv` do not count; their source says why"
    yield "(ends that do not match, or a node that was placed by that very length)."
    yield ""


def _trips(made: Calibration) -> Iterator[str]:
    found = made.of_trips
    yield "## Trips by road"
    yield ""
    yield "`published_trips.csv` was closed before any of it was compared with the network"
    yield "in this form; its sources, readings and reasons for not counting were decided"
    yield "from the rows alone. Part of the rules were written by somebody who had seen an"
    yield "earlier network miss an earlier, smaller table. A figure is read as **door**"
    yield "(seat to seat, streets and all) or **gate** (from the first interchange of an"
    yield "expressway to the last: what a report of an opening speaks of; reports that"
    yield "would mean less than 60 km/h on the new road are read as door). *ordinary*: the"
    yield "way without expressways, for old road lengths. The network is asked as open at"
    yield "the end of the row's year (2015 at the earliest). The way is the fastest one."
    yield ""
    yield "SHA-256 of the table, remarks left blank, when it was closed:"
    yield f"`{FROZEN}`."
    yield ""
    yield "Half of the pairs, drawn by chance, chose the sinuosity and speeds; the other"
    yield "half judges them."
    yield ""
    for quantity, title in (("km", "Distance"), ("minutes", "Time")):
        yield f"**{title}**"
        yield ""
        part = found[found["quantity"] == quantity]
        groups = trip_groups(part)
        flat = made.of_trips_flat
        flat = flat[(flat["quantity"] == quantity)]
        groups["check, as if there were no terrain"] = flat[flat["half"] == "check"]
        groups["all, as if there were no terrain"] = flat
        yield from errors(groups, GOAL[quantity])
    head = [
        "trip",
        "year",
        "read as",
        "published",
        "found",
        "error",
        "half",
        "source",
        "why so far off, and remarks",
    ]
    for quantity, title in (("km", "Distances that count"), ("minutes", "Times that count")):
        yield f"### {title}"
        yield ""
        part = found[found["scored"] & (found["quantity"] == quantity)]
        yield from rows(head, trip_lines(part))
    yield "### Rows that do not count, and why"
    yield ""
    part = found[~found["scored"]].sort_values(["why", "quantity"], kind="stable")
    lines = []
    for row in part.to_dict("records"):
        unit = "km" if row["quantity"] == "km" else "min"
        lines.append(
            [
                f"{row['from']}–{row['to']}",
                f"{row['year']:.0f}",
                row["reading"],
                f"{row['value']:g} {unit}",
                number(row["found"]),
                row["why"],
                f"{row['source']}（{row['confidence']}）",
            ]
        )
    yield from rows(
        ["trip", "year", "read as", "published", "found", "why it does not count", "source"], lines
    )


def _rides(made: Calibration) -> Iterator[str]:
    found = made.of_rides
    yield "## From station to station"
    yield ""
    yield "Minutes on the train: the fastest service that calls at both stations, or the"
    yield "median train where the published figure is that of some train. Those *used* set"
    yield "running times in `services.csv`; those *kept back* judge them."
    yield ""
    groups = {"all": found}
    for kept in ("used", "kept back"):
        for known in ("read", "remembered"):
            part = found[(found["kept"] == kept) & (found["known"] == known)]
            groups[f"{kept}, {known}"] = part
        groups[kept] = found[found["kept"] == kept]
    for one in ("hsr", "conventional"):
        groups[f"kept back, {one}"] = found[
            (found["kept"] == "kept back") & (found["class"] == one)
        ]
    yield from errors(groups, GOAL["minutes"])
    lines = [
        [
            f"{row['from_station'][2:]}–{row['to_station'][2:]}",
            row["class"],
            row["kind"],
            f"{row['year']:.0f}",
            f"{row['minutes']:g}",
            number(row["found"]),
            percent(row["error"], True),
            row["kept"],
            row["source"],
            row["why"] or reason(row),
        ]
        for row in found.to_dict("records")
    ]
    head = ["ride", "class", "train", "year", "published", "found", "error", "use", "source", "why"]
    yield from rows(head, lines)


def _terrain(made: Calibration) -> Iterator[str]:
    table = made.terrain
    profile = made.net.profile
    area = load("counties").set_index("adcode").geometry
    km2 = gpd.GeoSeries(area).to_crs(equal_area(area.total_bounds)).area / 1e6
    table = table.assign(km2=table["adcode"].map(km2))
    yield "## Terrain"
    yield ""
    yield "`terrain.csv` gives each county one class by its relief: the mean difference in"
    yield "height between neighbouring cells, some 9 × 8 km, of the topography of ITU-R"
    yield "P.1511-2 that the package `itur` (MIT) brings; the grid itself is not copied."
    yield "Below 70 m *plain*, below 100 m *hill*, else *mountain*. Such cells are wider"
    yield "than a gorge, so twelve counties that a deeply cut river crosses are named"
    yield "*gorge*, and seven are moved by one class, each with its reason in the table:"
    yield "that is judgement. A county is one class though 镇宁, 兴义, 桐梓 and 仁怀 are"
    yield "each two worlds. The shares come out near the usual ones of the province"
    yield "(mountains 62 %, hills 31 %, basins 7.5 %), which were not used."
    yield ""
    lines = []
    for one in TERRAINS:
        part = table[table["terrain"] == one]
        rule = profile.terrain[one]
        lines.append(
            [
                one,
                str(len(part)),
                percent(part["km2"].sum() / table["km2"].sum()),
                number(part["relief_m"].mean()),
                f"{rule.sinuosity['national']:.2f}",
                *(f"{profile.sinuosity[kind] * rule.sinuosity[kind]:.2f}" for kind in ORDINARY),
                f"{profile.road_kmh['expressway'] * rule.speed['expressway']:.0f}",
                *(f"{profile.road_kmh[kind] * rule.speed[kind]:.0f}" for kind in ORDINARY),
            ]
        )
    head = ["terrain", "counties", "of the area", "relief, m", "factor on sinuosity"]
    head += [f"sinuosity {kind}" for kind in ORDINARY]
    head += ["expressway km/h", *(f"{kind} km/h" for kind in ORDINARY)]
    yield from rows(head, lines)
    yield "Why: an ordinary road winds round what it cannot cross and is built for less"
    yield "speed the steeper the slope (design speeds of JTG B01-2014). An expressway"
    yield "bridges and tunnels: its sinuosity of 1.07 holds in mountains as elsewhere"
    yield "(table of lengths above), its speed falls a little. A link between two terrains"
    yield "takes the mean of both."
    yield ""


def _fitted() -> Iterator[str]:
    yield "## What was fitted and what was not"
    yield ""
    yield "- **Fitted on half of the pairs** (`scripts/calibrate.py --fit` prints the"
    yield "  choices): the factor of terrain on the sinuosity of ordinary roads, one for all"
    yield "  three classes, in steps of 0.05; the speed on expressways among 80, 85, 90; that"
    yield "  of streets among 32, 38; a factor of 0.9 or 1 on ordinary speeds. All inside"
    yield "  what standards and logs of drives support (`profiles.toml`)."
    yield "  Several sets of factors lie within a twentieth of the best; the one taken has no"
    yield "  bias on that half and rises with every class."
    yield "- **Fitted before**, on reports of openings: the sinuosity of expressways, 1.07."
    yield "- **Not fitted**: speeds by terrain (design standards, damped), provincial and"
    yield "  county speeds one by one, connectors, legs off the network, waiting and"
    yield "  boarding, peak, slow and freeflow. Hardly any published time is mostly on"
    yield "  ordinary roads."
    yield "- **Not used**: figures of weak memory (低), sources that machines wrote, and"
    yield "  circles that plans promise."
    yield "- **Weak**: the times. Most are publicity, rounded to a quarter or half hour;"
    yield "  times *before* an opening (开通前) are those of the slowest way that somebody"
    yield "  remembers. The lengths of ordinary roads come from county profiles, road logs"
    yield "  and bicycle computers of 2005–2021."
    yield "- **To do better** one needs a mileage table of the road authority or a route"
    yield "  planner with a licence to publish."


# -- the fit ---------------------------------------------------------------------------------


def fitted_profile(
    profile: Profile, sinuosity: Sequence[float], expressway: float, urban: float, ordinary: float
) -> Profile:
    """A profile with other numbers where numbers were fitted."""
    kmh = {**profile.road_kmh, "expressway": expressway, "urban": urban}
    kmh.update({kind: profile.road_kmh[kind] * ordinary for kind in ORDINARY})
    terrain = {
        name: TerrainRule(MappingProxyType(dict.fromkeys(ORDINARY, factor)), rule.speed)
        for (name, rule), factor in zip(profile.terrain.items(), sinuosity, strict=True)
    }
    return replace(profile, road_kmh=MappingProxyType(kmh), terrain=MappingProxyType(terrain))


def loss(error: pd.Series) -> float:
    """Middle, shoulder and bias of the logarithmic error: the outer fifth does not pull."""
    logs = np.log1p(error.dropna())
    return float(logs.abs().median() + 0.5 * logs.abs().quantile(0.8) + abs(logs.median()))


def fit(made: Calibration) -> Iterator[str]:
    """Tell how choices do on the half that is fitted, the best first."""
    counted = made.trips[(made.trips["why_not"] == "") & (split_pairs(made.trips) == "fit")]
    ordinary = counted[(counted["quantity"] == "km") & (counted["roads"] == "ordinary")]
    base = made.net.profile
    now = tuple(base.terrain[one].sinuosity["national"] for one in TERRAINS)
    tried: list[tuple[float, tuple[float, ...], float]] = []
    for plain in (1.0, 1.05):
        for hill in (1.1, 1.15, 1.2):
            for mountain in (1.15, 1.2, 1.25):
                for gorge in (1.25, 1.3, 1.35):
                    chosen = (plain, hill, max(hill, mountain), gorge)
                    one = fitted_profile(
                        base, chosen, base.road_kmh["expressway"], base.road_kmh["urban"], 1.0
                    )
                    found = compare_trips(made.net.with_profile(one), ordinary)
                    tried.append((loss(found["error"]), chosen, found["error"].median()))
    yield "sinuosity of ordinary roads x plain, hill, mountain, gorge: loss, bias"
    for value, factors, bias in sorted(tried)[:10]:
        here = "  <- profiles.toml" if factors == now else ""
        yield f"{value:.3f} {factors} {bias:+.3f}{here}"
    times = counted[counted["quantity"] == "minutes"]
    driven: list[tuple[float, tuple[float, ...], float]] = []
    for expressway in (80, 85, 90):
        for urban in (32, 38):
            for factor in (0.9, 1.0):
                one = fitted_profile(base, now, expressway, urban, factor)
                found = compare_trips(made.net.with_profile(one), times)
                driven.append(
                    (loss(found["error"]), (expressway, urban, factor), found["error"].median())
                )
    yield "expressway km/h, urban km/h, factor on ordinary speeds: loss, bias"
    for value, speeds, bias in sorted(driven):
        yield f"{value:.3f} {speeds} {bias:+.3f}"
