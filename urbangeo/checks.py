"""Do the layers and the plans agree with themselves and with each other?

Each rule is a small function with a name, a level and a title. It yields what it finds; a finding
that a plan's table of contradictions explains is known, and carries that row's identifier. What no
row explains is new, and fails the check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from urbangeo.catalog import layers, region
from urbangeo.claims import recompute
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import InputError, TableError, UnknownNameError, UrbangeoError
from urbangeo.names import normalise, stem
from urbangeo.plancomparison import comparable
from urbangeo.plans import Extent, Plan, plan, plans
from urbangeo.plantables import text_findings, text_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import geopandas as gpd

__all__ = ["COLUMNS", "Found", "Rule", "as_text", "check", "rules", "run_check"]

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
COLUMNS = ("level", "rule", "subject", "expected", "found", "known", "cite")
"""Columns of the findings."""

Point = tuple[str, int]
# Within this distance of its county a place may lie: the boundaries are no more precise.
_BOUNDARY_M = 500.0
# A seam between two counties may gape or overlap by this, metres.
_SEAM_M = 1.0


@dataclass(frozen=True)
class Found:
    """One finding of a rule.

    Attributes
    ----------
    subject
        What it is about.
    expected, found
        In words or numbers.
    points
        ``(plan, line)`` of the statements concerned.
    words
        What a row of contradictions must say to explain it, all of them.
    known
        Identifier of the row that explains it, where the rule knows it itself.
    level
        Other than the rule's.
    cite
        Chapters or boxes of the statements.
    """

    subject: str
    expected: str
    found: str
    points: tuple[Point, ...] = ()
    words: tuple[str, ...] = ()
    known: str = ""
    level: Level | None = None
    cite: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule: name, level of its findings, title, and the function that looks."""

    name: str
    level: Level
    title: str
    look: Callable[[_Matter], Iterator[Found]]


_RULES: dict[str, Rule] = {}


def _rule(
    level: Level, title: str
) -> Callable[[Callable[[_Matter], Iterator[Found]]], Callable[[_Matter], Iterator[Found]]]:
    def register(
        look: Callable[[_Matter], Iterator[Found]],
    ) -> Callable[[_Matter], Iterator[Found]]:
        name = look.__name__.strip("_")
        _RULES[name] = Rule(name, level, title, look)
        return look

    return register


@dataclass(frozen=True)
class _Ground:
    """County boundaries with the gazetteer that is used on them."""

    name: str
    counties: gpd.GeoDataFrame
    places: gpd.GeoDataFrame


@dataclass
class _Matter:
    """All that the rules look at."""

    plans: list[Plan]
    refused: list[tuple[str, UrbangeoError]]
    texts: Path | None

    @cached_property
    def grounds(self) -> list[_Ground]:
        from urbangeo.layer import load

        found = [_Ground("", load("counties"), load("places"))]
        found += [
            _Ground(f"{one.key}: ", one.county_layer, one.gazetteer)
            for one in self.plans
            if one.record.counties
        ]
        return found

    @cached_property
    def extents(self) -> list[Extent]:
        return [
            one.extent(str(key)) for one in self.plans for key in one.extents["extent"].unique()
        ]


# The call ----------------------------------------------------------------------------------------


def rules() -> pd.DataFrame:
    """List the rules: ``name``, ``level``, ``title``."""
    return pd.DataFrame(
        [(one.name, one.level, one.title) for one in _RULES.values()],
        columns=["name", "level", "title"],
    )


def check(
    plans_to_check: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    only: str | Iterable[str] | None = None,
    texts: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Check layers, gazetteer and plans.

    Parameters
    ----------
    plans_to_check
        Keys or folders of plans, as :func:`urbangeo.plans.plan` takes them; all bundled ones if
        None.
    only
        Names of the rules to apply, as :func:`rules` lists them; all if None.
    texts
        Folder with the plans' texts, to prove every quotation; those that are not there are
        passed over.

    Returns
    -------
    pandas.DataFrame
        One row for each finding, errors first: ``level`` (error, warning, info), ``rule``,
        ``subject``, ``expected``, ``found``, ``known`` (identifier of the row of contradictions
        that explains it, or ``""``), ``cite``. A finding of level info needs no explanation.

    Raises
    ------
    UnknownNameError
        If a plan or rule is not known.

    Examples
    --------
    >>> import urbangeo.checks
    >>> found = urbangeo.checks.check("qianzhong-2023", only=["extent_in_layer"])
    >>> list(found.columns)
    ['level', 'rule', 'subject', 'expected', 'found', 'known', 'cite']
    """
    chosen = _chosen_rules(only)
    matter = _matter(plans_to_check, texts)
    explained = _Contradictions(matter.plans)
    rows: list[dict[str, str]] = []
    for one in chosen:
        for found in one.look(matter):
            where = [f"{key} L{line}" for key, line in found.points]
            rows.append(
                {
                    "level": found.level or one.level,
                    "rule": one.name,
                    "subject": found.subject,
                    "expected": found.expected,
                    "found": found.found,
                    "known": found.known or explained.by(found),
                    "cite": "; ".join(filter(None, [found.cite, *where])),
                }
            )
    result = pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)
    order = result["level"].map({level: rank for rank, level in enumerate(LEVELS)})
    return result.loc[order.sort_values(kind="stable").index].reset_index(drop=True)


def run_check(
    plans_to_check: Sequence[str] = (),
    *,
    only: Sequence[str] = (),
    texts: str | os.PathLike[str] | None = None,
) -> tuple[pd.DataFrame, int]:
    """Check, and tell with which exit status a command should end.

    Parameters
    ----------
    plans_to_check, only, texts
        As :func:`check` takes them; empty for all.

    Returns
    -------
    findings : pandas.DataFrame
        As :func:`check` gives them.
    status : int
        0 if every error and warning is a known one, 1 if there are new ones.
    """
    found = check(list(plans_to_check) or None, only=list(only) or None, texts=texts)
    new = (found["level"] != "info") & (found["known"] == "")
    return found, int(new.any())


def as_text(findings: pd.DataFrame, output: str = "csv") -> str:
    """Write findings as CSV or JSON, the same bytes every time.

    Raises
    ------
    InputError
        If ``output`` is neither ``"csv"`` nor ``"json"``.
    """
    if output == "csv":
        text: str = findings.to_csv(index=False, lineterminator="\n")
        return text
    if output == "json":
        rows = findings.to_dict("records")
        return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    raise InputError(f"Expected csv or json, found {output!r}.")


def _chosen_rules(only: str | Iterable[str] | None) -> list[Rule]:
    if only is None:
        return list(_RULES.values())
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in _RULES:
            raise UnknownNameError("rule", name, _RULES)
    return [_RULES[name] for name in dict.fromkeys(names)]


def _matter(
    asked: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None,
    texts: str | os.PathLike[str] | None,
) -> _Matter:
    from pathlib import Path

    if asked is None:
        keys: list[Any] = list(plans()["key"])
    else:
        keys = [asked] if isinstance(asked, str) or hasattr(asked, "__fspath__") else list(asked)
    found: list[Plan] = []
    refused: list[tuple[str, UrbangeoError]] = []
    for key in keys:
        try:
            found.append(plan(key))
        except TableError as error:
            refused.append((str(key), error))
    if texts is not None and not Path(texts).is_dir():
        raise InputError(f"The folder of texts {str(texts)!r} does not exist.")
    return _Matter(found, refused, None if texts is None else Path(texts))


class _Contradictions:
    """The recorded contradictions, and which of them explains a finding."""

    def __init__(self, known: Iterable[Plan]) -> None:
        self._rows: list[tuple[str, frozenset[Point], str]] = []
        for one in known:
            for row in one.contradictions.to_dict("records"):
                points = {(one.key, int(row["line_a"]))}
                if not pd.isna(row["line_b"]):
                    points.add((row["plan_b"] or one.key, int(row["line_b"])))
                words = " ".join(
                    str(row[name]) for name in ("subject", "quote_a", "quote_b", "used", "why")
                )
                self._rows.append((row["id"], frozenset(points), normalise(words)))

    def by(self, found: Found) -> str:
        """Give the row that explains a finding.

        It cites one of the finding's lines and says all of its words, or cites all of its lines,
        of which there are several.
        """
        asked = set(found.points)
        for key, points, words in self._rows:
            said = found.words and all(normalise(word) in words for word in found.words)
            if (points & asked and said) or (len(asked) > 1 and asked <= points):
                return key
        return ""


# Layers ------------------------------------------------------------------------------------------


@_rule("error", "every layer loads and keeps to its schema")
def _layer_loads(_: _Matter) -> Iterator[Found]:
    from urbangeo.layer import load

    for name in layers()["name"]:
        try:
            frame = load(name)
        except UrbangeoError as error:
            yield Found(f"layer {name}", "loads", str(error))
            continue
        if frame.crs is None or not WGS84.equals(frame.crs):
            yield Found(f"layer {name}", "EPSG:4326", str(frame.crs))


@_rule("error", "counties cover their region without gaps and overlaps")
def _coverage(matter: _Matter) -> Iterator[Found]:
    import geopandas as gpd
    import shapely

    from urbangeo.boundaries import surroundings

    for ground in matter.grounds:
        counties = ground.counties.to_crs(equal_area(ground.counties.total_bounds))
        shapes = counties.geometry.to_numpy()
        edges = shapely.coverage_invalid_edges(shapes, gap_width=_SEAM_M)
        for name, edge in zip(counties["name"], edges, strict=True):
            if not edge.is_empty:
                yield Found(
                    f"{ground.name}{name}",
                    "edges shared exactly with its neighbours",
                    f"{edge.length / 1000:.3f} km of edge with a gap or overlap",
                )
        whole = shapely.union_all(shapes)
        holes = shapely.union_all(
            [
                shapely.Polygon(ring)
                for part in getattr(whole, "geoms", [whole])
                for ring in part.interiors
            ]
        )
        if not ground.name and not holes.is_empty:
            # A hole that a neighbouring province fills is its enclave.
            around = surroundings()
            if around is not None:
                holes = holes.difference(around.to_crs(counties.crs).union_all())
        for hole in getattr(holes, "geoms", [holes]):
            if hole.area > _SEAM_M**2:
                west, south = (
                    gpd.GeoSeries([hole.centroid], crs=counties.crs).to_crs(WGS84)[0].coords[0]
                )
                yield Found(
                    f"{ground.name}counties",
                    "no hole",
                    f"a hole of {hole.area / 1e6:.3f} km² at {west:.4f}, {south:.4f}",
                )


@_rule("error", "codes have six digits, belong to their prefecture, and names do not repeat there")
def _codes(matter: _Matter) -> Iterator[Found]:
    for ground in matter.grounds:
        counties = ground.counties
        for code, name in zip(counties["adcode"], counties["name"], strict=True):
            if len(code) != 6 or not code.isdigit() or code.endswith("00"):
                yield Found(f"{ground.name}{name}", "the six-digit code of a county", code)
        if "prefecture_adcode" in counties.columns:
            for code, above, name in zip(
                counties["adcode"], counties["prefecture_adcode"], counties["name"], strict=True
            ):
                if code[:4] != above[:4]:
                    yield Found(f"{ground.name}{name}", f"a code that begins {above[:4]}", code)
            again = counties.duplicated(["prefecture_adcode", "name"])
            for name in counties.loc[again, "name"]:
                yield Found(f"{ground.name}{name}", "one county of this name", "several")


@_rule("error", "prefectures are those of the region, and are their counties together")
def _prefectures(matter: _Matter) -> Iterator[Found]:
    from urbangeo.layer import load

    drawn = load("prefectures").set_index("adcode")
    counties = matter.grounds[0].counties
    expected = region().prefectures
    for code in sorted(set(expected) ^ set(drawn.index)):
        known = code in expected
        yield Found(
            f"prefecture {code}", "drawn" if known else "not drawn", "not drawn" if known else code
        )
    sums = counties.groupby("prefecture_adcode")["area_km2"].sum()
    for code, area in drawn["area_km2"].items():
        below = float(sums.get(code, 0.0))
        if abs(below - area) > 0.01 * area:
            yield Found(
                str(drawn.loc[code, "name"]), f"{area:.0f} km²", f"{below:.0f} km² of counties"
            )


# Places ------------------------------------------------------------------------------------------


@_rule("error", "every place lies in the county that its row says")
def _place_in_county(matter: _Matter) -> Iterator[Found]:
    for ground in matter.grounds:
        crs = equal_area(ground.counties.total_bounds)
        shapes = ground.counties.set_index("adcode").geometry.to_crs(crs)
        points = ground.places.geometry.to_crs(crs)
        for point, name, code in zip(
            points, ground.places["name"], ground.places["adcode"], strict=True
        ):
            if code not in shapes.index:
                yield Found(f"{ground.name}{name}", "a county of the boundaries", code)
                continue
            away = point.distance(shapes.loc[code])
            if away > 0:
                # Boundaries of half a kilometre's precision cannot tell on which side it is.
                near = away <= _BOUNDARY_M
                yield Found(
                    f"{ground.name}{name}（{code}）",
                    "inside its county",
                    f"{away:.0f} m outside",
                    level="info" if near else None,
                )


@_rule("error", "a place's county has the name that goes with its code")
def _place_county_name(matter: _Matter) -> Iterator[Found]:
    for ground in matter.grounds:
        names = dict(zip(ground.counties["adcode"], ground.counties["name"], strict=True))
        for name, county, code in zip(
            ground.places["name"], ground.places["county"], ground.places["adcode"], strict=True
        ):
            if code in names and names[code] != county:
                yield Found(f"{ground.name}{name}", names[code], county)


@_rule("error", "every county has one seat")
def _seats(matter: _Matter) -> Iterator[Found]:
    for ground in matter.grounds:
        seats = ground.places[ground.places["kind"] == "county_seat"]
        counts = seats["adcode"].value_counts()
        for code, name in zip(ground.counties["adcode"], ground.counties["name"], strict=True):
            if counts.get(code, 0) != 1:
                yield Found(f"{ground.name}{name}", "1 county seat", str(counts.get(code, 0)))


# A plan by itself --------------------------------------------------------------------------------


@_rule("error", "every table of a plan can be read")
def _plan_reads(matter: _Matter) -> Iterator[Found]:
    for key, error in matter.refused:
        for finding in getattr(error, "findings", [str(error)]):
            yield Found(key, "a sound table", finding)


@_rule("error", "every quotation stands on its line of the text")
def _quotations(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        path = None if matter.texts is None else matter.texts / one.record.text
        if path is None or not path.is_file():
            continue
        lines = text_lines(path)
        for name in one.tables_held():
            for finding in text_findings(one.table(name), lines):
                yield Found(f"{one.key}/{name}.csv", "the words on that line", finding)


@_rule("info", "what the plan says twice or against itself, as recorded")
def _recorded(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        for row in one.contradictions.to_dict("records"):
            points = [(one.key, int(row["line_a"]))]
            if not pd.isna(row["line_b"]):
                points.append((row["plan_b"] or one.key, int(row["line_b"])))
            yield Found(
                str(row["subject"]),
                str(row["quote_a"]),
                str(row["quote_b"] or row["why"]),
                tuple(points),
                known=str(row["id"]),
                cite="; ".join(filter(None, dict.fromkeys((row["where_a"], row["where_b"])))),
            )


@_rule("error", "what a plan states comes out when it is computed")
def _claims(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        for row in one.claims.to_dict("records"):
            about = f"{one.key}: {row['subject']}"
            points, cite = ((one.key, int(row["line"])),), str(row["cite"])
            stated = f"{row['stated']:g} {row['unit']}".strip()
            try:
                value = recompute(one, row["measure"], row["of"], row["unit"])
            except UrbangeoError as error:
                yield Found(about, stated, f"cannot be computed: {error}", points=points, cite=cite)
                continue
            shown = f"{value:.6g} {row['unit']} ({row['measure']} of {row['of']})"
            if pd.isna(row["tolerance"]):
                yield Found(
                    about, stated, f"{shown}; {row['note']}", level="info", points=points, cite=cite
                )
            elif abs(value - row["stated"]) > row["tolerance"] + 1e-9:
                words = (f"{row['stated']:g}",)
                yield Found(about, stated, shown, points, words, cite=cite)


@_rule("error", "no town stands twice in one list")
def _town_repeated(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        towns = pd.DataFrame(one.towns)
        towns["bare"] = [stem(normalise(name), "town") for name in towns["name"]]
        for _, rows in towns.groupby(["list", "adcode", "bare"], sort=False):
            if len(rows) > 1:
                first = rows.iloc[0]
                yield Found(
                    f"{one.key}: {first['name']}（{first['county']}）",
                    f"once in {first['list']}",
                    f"{len(rows)} times",
                    tuple((one.key, int(line)) for line in dict.fromkeys(rows["line"])),
                    (str(first["bare"]),),
                    cite="; ".join(dict.fromkeys(rows["cite"])),
                )


@_rule("error", "no zone stands twice")
def _park_repeated(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        parks = pd.DataFrame(one.parks)
        parks["bare"] = parks["name"].map(comparable)
        for _, rows in parks.groupby(["bare", "adcodes", "cite"], sort=False):
            if len(rows) > 1:
                first = rows.iloc[0]
                yield Found(
                    f"{one.key}: {first['name']}",
                    f"once in {first['cite']}",
                    f"{len(rows)} times",
                    tuple((one.key, int(line)) for line in dict.fromkeys(rows["line"])),
                    (str(first["bare"]),),
                    cite=str(first["cite"]),
                )


@_rule("error", "no project of one name and kind has two stages")
def _stage_differs(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        for name in ("transport", "utilities", "ecology"):
            table = pd.DataFrame(one.table(name))
            table = table[table["status"] != ""]
            for (subject, _), rows in table.groupby(["name", "kind"], sort=False):
                if (rows["status"] != rows["status"].iloc[0]).any():
                    first = rows.iloc[0]
                    yield Found(
                        f"{one.key}: {subject}",
                        f"{first['status']} ({first['cite']})",
                        "; ".join(
                            f"{s} ({c})" for s, c in zip(rows["status"], rows["cite"], strict=True)
                        ),
                        tuple((one.key, int(line)) for line in dict.fromkeys(rows["line"])),
                    )


@_rule("error", "what a plan lists as a town of the gazetteer is in it, in that county")
def _town_in_gazetteer(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        known = set(zip(one.gazetteer["adcode"], one.gazetteer["name"], strict=True))
        for row in one.towns.to_dict("records"):
            points, cite = ((one.key, int(row["line"])),), str(row["cite"])
            about = f"{one.key}: {row['name']}（{row['county']}）"
            if row["place"] and (row["adcode"], row["place"]) not in known:
                yield Found(
                    about,
                    f"place {row['place']!r} in {row['adcode']}",
                    "none",
                    points=points,
                    cite=cite,
                )
            elif not row["place"] and row["list"] == "特色节点城镇":
                yield Found(
                    about, "located", "not in the gazetteer", level="info", points=points, cite=cite
                )


@_rule("error", "an indicator and the text give one number for one year")
def _indicator_and_text(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        cities = pd.DataFrame(one.cities)
        # An indicator is about what the plan is named after.
        about = cities["name"].map(
            lambda name, title=one.record.title: bool(name) and normalise(name) in normalise(title)
        )
        facts = cities[about & cities["value_number"].notna()]
        for row in one.indicators.to_dict("records"):
            for when, what in (("base_year", "base"), ("target_year", "target")):
                if pd.isna(row[f"{what}_number"]) or not row[when]:
                    continue
                same = facts[
                    (facts["attribute"].map(comparable) == comparable(row["name"]))
                    & (facts["year"] == row[when])
                    & (facts["unit"] == row["unit"])
                    & ((facts["value_number"] - row[f"{what}_number"]).abs() > 1e-9)
                ]
                for fact in same.to_dict("records"):
                    yield Found(
                        f"{one.key}: {row['name']} {row[when]}",
                        f"{row[what]} {row['unit']} ({row['cite']})",
                        f"{fact['value']} {fact['unit']} ({fact['cite']})",
                        ((one.key, int(row["line"])), (one.key, int(fact["line"]))),
                        (str(row[what]), str(fact["value"])),
                    )


@_rule("error", "a plan gives one number for one fact of one city and year")
def _fact_twice(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        yield from _facts_differ([one])


# Plan against layer ------------------------------------------------------------------------------


@_rule("error", "every member of an extent has a boundary, under its own name")
def _extent_in_layer(matter: _Matter) -> Iterator[Found]:
    for one in matter.plans:
        names = dict(zip(one.county_layer["adcode"], one.county_layer["name"], strict=True))
        for row in one.extents.to_dict("records"):
            if row["adcode"] and names.get(row["adcode"]) != row["name"]:
                drawn = names.get(row["adcode"], "no boundary")
                short = stem(row["name"]) == stem(drawn)
                yield Found(
                    f"{one.key}: {row['title']}",
                    f"{row['adcode']} {row['name']}",
                    drawn,
                    ((one.key, int(row["line"])),),
                    level="info" if short else None,
                    cite=str(row["cite"]),
                )


# Plan against plan -------------------------------------------------------------------------------


@_rule("warning", "plans draw an extent of one name with the same members")
def _extents_between_plans(matter: _Matter) -> Iterator[Found]:
    by_key: dict[str, list[Extent]] = {}
    for one in matter.extents:
        by_key.setdefault(one.name, []).append(one)
    for drawn in by_key.values():
        for i, one in enumerate(drawn):
            for other in drawn[i + 1 :]:
                yield from _members_differ(one, other)


def _members_differ(one: Extent, other: Extent) -> Iterator[Found]:
    def units(extent: Extent) -> dict[str, tuple[str, int]]:
        rows = [*extent.members.to_dict("records"), *extent.other_units.to_dict("records")]
        return {row.get("adcode") or row["name"]: (row["name"], int(row["line"])) for row in rows}

    left, right = units(one), units(other)
    for key in sorted(set(left) ^ set(right)):
        name, line = left.get(key) or right[key]
        here, there = (one, other) if key in left else (other, one)
        lines = {row_line for _, row_line in (left if there is one else right).values()}
        yield Found(
            f"{one.title}: {name}",
            f"member in {here.plan}",
            f"no member in {there.plan}",
            ((here.plan, line), *((there.plan, at) for at in sorted(lines))),
            (stem(name),),
        )


@_rule("info", "extents that reach beyond the widest one")
def _beyond_the_widest(matter: _Matter) -> Iterator[Found]:
    if not matter.extents:
        return
    widest = max(matter.extents, key=lambda one: len(one.adcodes))
    for one in matter.extents:
        names = dict(zip(one.members["adcode"], one.members["name"], strict=True))
        outside = [names[code] for code in one.adcodes if code not in widest.adcodes]
        if outside:
            lines = one.members.loc[~one.members["adcode"].isin(widest.adcodes), "line"]
            yield Found(
                f"{one.plan}: {one.title}",
                f"within {widest.title} ({widest.plan})",
                f"outside: {'、'.join(outside)}",
                tuple((one.plan, int(line)) for line in sorted(set(lines))),
            )


@_rule("warning", "plans give one number for one fact of one city and year")
def _fact_between_plans(matter: _Matter) -> Iterator[Found]:
    for i, one in enumerate(matter.plans):
        for other in matter.plans[i + 1 :]:
            yield from _facts_differ([one, other])


def _facts_differ(pair: Sequence[Plan]) -> Iterator[Found]:
    """Compare facts of one plan with each other, or of two plans across, never both."""
    tables = [pd.DataFrame(one.cities).assign(plan=one.key) for one in pair]
    facts = pd.concat(tables, ignore_index=True)
    if facts.empty:
        return
    facts = facts[facts["value_number"].notna() & (facts["year"] != "")]
    facts = facts.assign(
        city=[stem(comparable(name)) for name in facts["name"]],
        what=[comparable(name) for name in facts["attribute"]],
    )
    # Of one plan, parts of a city are told apart by their counties; plans differ in those.
    place = ["city", "adcodes"] if len(pair) == 1 else ["city"]
    for _, rows in facts.groupby([*place, "what", "year", "unit"], sort=False):
        records = rows.to_dict("records")
        for i, first in enumerate(records):
            for second in records[i + 1 :]:
                across = first["plan"] != second["plan"]
                if first["value_number"] == second["value_number"] or across != (len(pair) > 1):
                    continue
                yield Found(
                    f"{first['name']} {first['attribute']} {first['year']}",
                    f"{first['operator']}{first['value']} {first['unit']} ({first['plan']})",
                    f"{second['operator']}{second['value']} {second['unit']} ({second['plan']})",
                    ((first["plan"], int(first["line"])), (second["plan"], int(second["line"]))),
                    (str(first["value"]), str(second["value"])),
                    cite="; ".join(dict.fromkeys((first["cite"], second["cite"]))),
                )
