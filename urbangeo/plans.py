"""What a plan says, each fact with its citation: extents, structures, towns, projects, indicators.

A bundled plan is asked for by its key; another region's plan is a folder of the same tables
(:mod:`urbangeo.plantables`), which may bring its own county boundaries and gazetteer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pandas as pd

from urbangeo.catalog import data_folder, region
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.names import normalise, short_name, stem
from urbangeo.plantables import (
    TABLES,
    PlanRecord,
    read_plan_record,
    read_plan_table,
    read_plan_tables,
    text_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Citation",
    "Extent",
    "Plan",
    "PlanRecord",
    "PlanTable",
    "extent",
    "plan",
    "plan_record",
    "plans",
]

_MEMBER_COLUMNS = ("adcode", "name", "role", "cite", "line")


@dataclass(frozen=True)
class Extent:
    """A set of counties under one name.

    Attributes
    ----------
    name
        Key, such as ``"qianzhong"``.
    title
        Chinese title.
    plan
        Key of the plan that draws it; empty for the whole region, which no plan draws.
    adcodes
        Codes of the member counties, in the plan's order.
    source
        Source of the boundaries, as :func:`urbangeo.load` takes it.
    """

    name: str
    title: str
    plan: str
    adcodes: tuple[str, ...] = field(repr=False)
    source: str | os.PathLike[str] | None = None
    _members: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    _boundaries: gpd.GeoDataFrame | None = field(default=None, repr=False, compare=False)

    @property
    def members(self) -> pd.DataFrame:
        """Member counties, a row each: ``adcode``, ``name``, ``role``, ``cite``, ``line``."""
        if self._members is not None:
            counties_only = self._members[self._members["adcode"] != ""]
            return counties_only[list(_MEMBER_COLUMNS)].reset_index(drop=True)
        counties = self.counties
        return pd.DataFrame(
            {
                "adcode": counties["adcode"],
                "name": counties["name"],
                "role": "member",
                "cite": "",
                "line": pd.array([pd.NA] * len(counties), dtype="Int64"),
            },
            columns=list(_MEMBER_COLUMNS),
        )

    @property
    def other_units(self) -> pd.DataFrame:
        """Units that the plan names as members and that are no county of the region, a row each.

        ``name``, ``role``, ``cite``, ``line``, ``note``, which names the counties that they lie in
        (贵安新区) or says that they lie elsewhere. They have no boundary here, so they are in
        neither outline nor area.
        """
        columns = ["name", "role", "cite", "line", "note"]
        if self._members is None:
            return pd.DataFrame({column: [] for column in columns})
        others = self._members[self._members["adcode"] == ""]
        return others[columns].reset_index(drop=True)

    @property
    def counties(self) -> gpd.GeoDataFrame:
        """Boundaries of the members, EPSG:4326, in the plan's order; columns of layer counties.

        Raises
        ------
        TableError
            If the boundaries lack a member.
        """
        return self._counties.copy()

    @cached_property
    def _counties(self) -> gpd.GeoDataFrame:
        counties = _county_layer(self.source) if self._boundaries is None else self._boundaries
        by_code = counties.set_index("adcode", drop=False)
        missing = [code for code in self.adcodes if code not in by_code.index]
        if missing:
            names = dict(zip(self._names["adcode"], self._names["name"], strict=True))
            raise TableError(
                f"extent {self.name!r}",
                [
                    f"member {code} {names.get(code, '')} is not in the boundaries from "
                    f"{_source_of(counties)}; use boundaries of the same vintage"
                    for code in missing
                ],
            )
        chosen = by_code.loc[list(self.adcodes)].reset_index(drop=True)
        chosen.attrs = counties.attrs | {
            "provenance": counties.attrs["provenance"] | {"extent": self.name}
        }
        return chosen

    @property
    def _names(self) -> pd.DataFrame:
        if self._members is None:
            return pd.DataFrame({"adcode": [], "name": []})
        return self._members

    @cached_property
    def outline(self) -> BaseGeometry:
        """The members dissolved into one polygon, EPSG:4326."""
        return self._counties.union_all()

    @property
    def area_km2(self) -> float:
        """Sum of the members' areas, km², equal-area."""
        return float(self._counties["area_km2"].sum())


def plan_record(key: str) -> PlanRecord:
    """Give a plan as a document; ``key`` may be the folder of a plan of one's own.

    Raises
    ------
    UnknownNameError
        If no plan has that key.
    """
    records = _plans()
    if key in records:
        return records[key]
    if _is_folder(key):
        return plan(key).record
    raise UnknownNameError("plan", key, records)


def _is_folder(name: str) -> bool:
    """Tell whether a name is the folder of a plan."""
    return bool(name) and (Path(name) / "plan.toml").is_file()


def extent(name: str | Extent, source: str | os.PathLike[str] | None = None) -> Extent:
    """Find an extent.

    Parameters
    ----------
    name
        Its key (``"qianzhong"``) or Chinese title (``"黔中城市群"``); ``"guizhou"`` is all
        counties of the region. Where several plans draw an extent of one name, the latest plan's
        is given; ``"qianzhong-2023/qianzhong"`` asks for a certain plan's, and
        ``"folder/core"`` for that of a plan of one's own. An :class:`Extent` is given back, with
        ``source`` if that is given.
    source
        Source of the boundaries for its outline and area, as :func:`urbangeo.load` takes it.

    Raises
    ------
    UnknownNameError
        If there is no such extent; near names are suggested.
    TableError
        If a plan's table of extents is not as it must be.

    Examples
    --------
    >>> import urbangeo as ug
    >>> round(ug.extent("黔中城市群").area_km2 / 1e4, 2)
    5.38
    """
    if isinstance(name, Extent):
        return name if source is None else replace(name, source=source)
    if not isinstance(name, str):
        raise InputError(f"Expected the name of an extent, found {name!r}. Give 'qianzhong'.")
    asked = normalise(name)
    about = region()
    whole = about.name_en.casefold()
    if asked.casefold() == whole or asked in (about.name, stem(about.name)):
        from urbangeo.layer import load

        codes = tuple(load("counties", source=source)["adcode"])
        return Extent(whole, about.name, "", codes, source)
    folder, _, own_name = name.rpartition("/")
    if folder not in _plans() and _is_folder(folder):
        found = plan(folder).extent(own_name)
        return found if source is None else replace(found, source=source)
    known: list[str] = []
    wanted_plan, _, wanted = asked.rpartition("/")
    # The latest plan first; what it has is not looked for in older ones.
    for key in sorted(_plans(), key=lambda key: _plans()[key].date, reverse=True):
        if wanted_plan and normalise(key) != wanted_plan:
            continue
        by_key = _extents(key)
        for label, own in _labels(by_key).items():
            if label == wanted:
                return _extent_from(by_key, own, key, source)
            known.append(label)
    raise UnknownNameError("extent", name, dict.fromkeys([*known, whole, about.name]))


def _labels(by_key: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Give the key of each extent under its key and its title."""
    keys = {normalise(key): key for key in by_key}
    titles = {normalise(str(rows["title"].iloc[0])): key for key, rows in by_key.items()}
    return {**keys, **titles}


def _extent_from(
    by_key: Mapping[str, pd.DataFrame],
    key: str,
    plan_key: str,
    source: str | os.PathLike[str] | None = None,
    boundaries: gpd.GeoDataFrame | None = None,
) -> Extent:
    rows = _expanded(by_key, key)
    codes = tuple(code for code in rows["adcode"] if code)
    title = str(by_key[key]["title"].iloc[0])
    return Extent(key, title, plan_key, codes, source, rows, boundaries)


def _expanded(by_key: Mapping[str, pd.DataFrame], key: str) -> pd.DataFrame:
    """Give the units of an extent, those of the extents that are its members included."""
    own = by_key[key]
    parts = [own[own["role"] != "extent"]]
    parts += [_expanded(by_key, str(name)) for name in own.loc[own["role"] == "extent", "name"]]
    rows = pd.concat(parts, ignore_index=True)
    label = rows["adcode"].where(rows["adcode"] != "", rows["name"])
    return rows[~label.duplicated()].reset_index(drop=True)


def _county_layer(source: str | os.PathLike[str] | None) -> gpd.GeoDataFrame:
    from urbangeo.layer import load

    return load("counties", source=source)


def _source_of(counties: gpd.GeoDataFrame) -> str:
    return str(counties.attrs.get("provenance", {}).get("source", "the plan's own file"))


def _plans() -> Mapping[str, PlanRecord]:
    paths = sorted((data_folder() / "plans").glob("*/plan.toml"))
    return _records(tuple((path, path.stat().st_mtime_ns) for path in paths))


@lru_cache(maxsize=4)
def _records(stamps: tuple[tuple[Path, int], ...]) -> Mapping[str, PlanRecord]:
    found = [read_plan_record(path) for path, _ in stamps]
    return MappingProxyType({one.key: one for one in found})


def _extents(plan_key: str) -> Mapping[str, pd.DataFrame]:
    path = data_folder() / "plans" / plan_key / "extents.csv"
    if not path.is_file():
        return MappingProxyType({})
    return _extents_of(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _extents_of(path: Path, stamp: int) -> Mapping[str, pd.DataFrame]:
    del stamp  # the key only: a changed file is read again
    return MappingProxyType(_by_extent(read_plan_table(path)))


def _by_extent(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        str(key): rows.reset_index(drop=True) for key, rows in table.groupby("extent", sort=False)
    }


# Plans -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Citation:
    """Where a statement stands.

    Attributes
    ----------
    id
        Identifier of the row.
    plan
        Key of the plan.
    title, publisher, date
        Of the plan.
    cite
        Chapter, box or figure.
    line
        Line of the text that was read, from 1; None where the row has none.
    quote
        The words as printed.
    """

    id: str
    plan: str
    title: str
    publisher: str
    date: str
    cite: str
    line: int | None
    quote: str

    def __str__(self) -> str:
        title = self.title if "《" in self.title else f"《{self.title}》"
        where = self.cite if self.line is None else f"{self.cite}，文本第 {self.line} 行"
        return f"{title}（{self.publisher}，{self.date}）{where}：“{self.quote}”"

    def __repr__(self) -> str:
        return str(self)


class PlanTable(pd.DataFrame):
    """A table of a plan: a DataFrame that can be asked by county.

    Rows that name no county (a thing outside the region, or one tied to no county) are in the
    table and in :meth:`without_county`, and in no answer of :meth:`of`, :meth:`within` and
    :meth:`touching`.
    """

    _metadata = ["_plan", "_kind"]  # noqa: RUF012 - the form that pandas asks for
    _plan: Plan | None = None
    _kind: str = ""

    @property
    def _constructor(self) -> type[PlanTable]:
        return PlanTable

    def of(self, county: str) -> PlanTable:
        """Keep what lies in one county and in no other.

        Parameters
        ----------
        county
            Full, short or former name, or code.

        Raises
        ------
        UnknownNameError
            If there is no such county.
        InputError
            If the name covers several, or the table names no counties.
        """
        codes = self._owner().county_codes(county)
        if len(codes) != 1:
            raise InputError(
                f"Expected one county, found {len(codes)} under {county!r}. "
                "Use .within(…) or .touching(…), or give the county's full name."
            )
        return self._where(lambda found: found == codes)

    def within(self, name: str) -> PlanTable:
        """Keep what lies wholly in a county, prefecture or extent.

        Parameters
        ----------
        name
            A county or prefecture, or an extent's key or title; the plan's own extents go before
            those of other plans.

        Raises
        ------
        UnknownNameError
            If nothing has that name.
        """
        codes = self._owner().county_codes(name)
        return self._where(lambda found: found <= codes)

    def touching(self, name: str) -> PlanTable:
        """Keep what has any of its counties in a county, prefecture or extent."""
        codes = self._owner().county_codes(name)
        return self._where(lambda found: bool(found & codes))

    def without_county(self) -> PlanTable:
        """Keep what names no county."""
        keep = [not found for found in self.counties_of_rows()]
        return self[keep]

    def counties_of_rows(self) -> list[frozenset[str]]:
        """Give the county codes of each row.

        Raises
        ------
        InputError
            If the table names no counties.
        """
        for column in ("adcodes", "adcode"):
            if column in self.columns:
                return [frozenset(filter(None, cell.split(";"))) for cell in self[column]]
        raise InputError(
            f"The table {self._kind!r} names no counties, so it cannot be asked by county. "
            "Filter its rows by column instead."
        )

    def geo(self) -> gpd.GeoDataFrame:
        """Give the table with geometry where it can be had, EPSG:4326.

        The members of an extent dissolve into one row; the nodes of a structure, in order, become
        a line through their seats, or for a group the union of their counties; a road or railway
        a line from place to place. A contradiction stands at the place that it is about, along
        its places in order, or else covers its counties; it is always schematic. Anything else
        stands where the gazetteer has a place of its name in its county, else somewhere inside its
        only county. What cannot be located has no geometry; no row is lost.

        Returns
        -------
        geopandas.GeoDataFrame
            Further columns: ``geometry_from`` says how the geometry was had; ``schematic`` is true
            where it was made from words and does not show a real course or site; ``precision_m``
            (metres), for points, how far the real one may lie.
        """
        from urbangeo.plangeometry import located

        return located(self, self._kind, self._owner())

    def _owner(self) -> Plan:
        if self._plan is None:
            raise InputError(
                "This table does not know its plan any more, as after a concat or merge. Ask each "
                "of the tables that it was made from."
            )
        return self._plan

    def _where(self, keeps: Callable[[frozenset[str]], bool]) -> PlanTable:
        keep = [bool(found) and keeps(found) for found in self.counties_of_rows()]
        return self[keep]


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan: its tables, each row with its citation.

    Tables are handed out as copies, as :class:`PlanTable`, so that ``plan.towns.of("织金县")`` and
    ``plan.projects.touching("湄潭县")`` read as they are meant.

    Attributes
    ----------
    record
        The plan as a document.
    folder
        Where its tables are.
    """

    record: PlanRecord
    folder: Path
    _tables: Mapping[str, pd.DataFrame] = field(repr=False)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {len(table)}" for name, table in self._filled())
        return f"Plan {self.key!r} ({self.record.title}, {self.record.date}): {counts}"

    def _filled(self) -> Iterable[tuple[str, pd.DataFrame]]:
        return ((name, self._tables[name]) for name in TABLES if len(self._tables[name]))

    @property
    def key(self) -> str:
        """Short name."""
        return self.record.key

    def table(self, name: str) -> PlanTable:
        """Give a table by its name, as in the plan's folder; empty where the plan has none.

        Raises
        ------
        UnknownNameError
            If plans have no such table.
        """
        if name not in TABLES:
            raise UnknownNameError("table of a plan", name, TABLES)
        return self._as_table(self._tables[name], name)

    def tables_held(self) -> list[str]:
        """Name the tables that have rows."""
        return [name for name, _ in self._filled()]

    def _as_table(self, rows: pd.DataFrame, name: str) -> PlanTable:
        table = PlanTable(rows.copy())
        table._plan = self
        table._kind = name
        return table

    @property
    def extents(self) -> PlanTable:
        """Sets of counties under one name, one row for each member."""
        return self.table("extents")

    @property
    def structures(self) -> PlanTable:
        """Axes, belts, rings, corridors, groups, cores and poles, one row for each node."""
        return self.table("structures")

    @property
    def towns(self) -> PlanTable:
        """Towns that the plan lists; ``list`` says in which list."""
        return self.table("towns")

    @property
    def cities(self) -> PlanTable:
        """Cities: one row for each city and fact."""
        return self.table("cities")

    @property
    def parks(self) -> PlanTable:
        """Development zones and industrial parks."""
        return self.table("parks")

    @property
    def industry(self) -> PlanTable:
        """Industry projects and assignments with their places."""
        return self.table("industry")

    @property
    def tourism(self) -> PlanTable:
        """Belts, sites, bases, pairs, hubs and routes of tourism."""
        return self.table("tourism")

    @property
    def transport(self) -> PlanTable:
        """Roads, railways, stations, airports, ports, and promised travel times."""
        return self.table("transport")

    @property
    def ecology(self) -> PlanTable:
        """Barriers, basins, reserves, parks, red lines and restoration."""
        return self.table("ecology")

    @property
    def utilities(self) -> PlanTable:
        """Water, power, gas, oil, coal and waste."""
        return self.table("utilities")

    @property
    def services(self) -> PlanTable:
        """Public services."""
        return self.table("services")

    @property
    def indicators(self) -> PlanTable:
        """Indicators with base, target, unit and operator."""
        return self.table("indicators")

    @property
    def tasks(self) -> PlanTable:
        """Goals, tasks and projects as records with their lead units."""
        return self.table("tasks")

    @property
    def contradictions(self) -> PlanTable:
        """Contradictions, duplicates and misreadings, with the reading that is used."""
        return self.table("contradictions")

    @property
    def claims(self) -> PlanTable:
        """Statements that can be recomputed; :func:`urbangeo.check` does so."""
        return self.table("claims")

    @property
    def promises(self) -> PlanTable:
        """Promised travel times with every reading that their words allow."""
        return self.table("promises")

    @property
    def projects(self) -> PlanTable:
        """What the plan says is to be built or done, one row each.

        The records of kind ``project`` where the plan has a list of tasks; otherwise the rows of
        transport, utilities and ecology that have a stage or a verb, and those of industry.
        ``table`` says where each comes from; citations are those of that row.
        """
        columns = ["id", "table", "name", "status", "lead", "supporting", "adcodes"]
        columns += ["adcodes_source", "cite", "line", "quote", "note"]
        tasks = self._tables["tasks"]
        if len(tasks):
            rows = tasks[tasks["kind"] == "project"].rename(columns={"title": "name"})
            parts = [rows.assign(table="tasks", status="")]
        else:
            parts = []
            for name in ("transport", "utilities", "ecology", "industry"):
                rows = self._tables[name].assign(table=name, lead="", supporting="")
                if name == "industry":
                    parts.append(rows.assign(status=""))
                elif len(rows):
                    named = rows["status"] != ""
                    if "verb" in rows.columns:
                        named |= rows["verb"] != ""
                    if name == "transport":
                        named &= rows["kind"] != "promise"
                    parts.append(rows[named])
        filled = [part for part in parts if len(part)]
        if not filled:
            return self._as_table(pd.DataFrame({name: [] for name in columns}), "projects")
        return self._as_table(pd.concat(filled, ignore_index=True)[columns], "projects")

    # Counties ------------------------------------------------------------------------------------

    @cached_property
    def county_layer(self) -> gpd.GeoDataFrame:
        """County boundaries that the plan's codes mean, EPSG:4326; not to be changed."""
        if not self.record.counties:
            return _county_layer(None)
        return _own_counties(self.folder / self.record.counties)

    @cached_property
    def gazetteer(self) -> gpd.GeoDataFrame:
        """Gazetteer in which the plan's names are looked up, EPSG:4326; not to be changed."""
        from urbangeo.layer import load

        source = self.folder / self.record.places if self.record.places else None
        return load("places", source=source)

    def of(self, county: str) -> Plan:
        """Keep what lies in one county and in no other, in every table; see :meth:`touching`."""
        return self._kept(lambda table: table.of(county))

    def within(self, name: str) -> Plan:
        """Keep what lies wholly in a county, prefecture or extent; see :meth:`touching`."""
        return self._kept(lambda table: table.within(name))

    def touching(self, name: str) -> Plan:
        """Keep what has any of its counties in a county, prefecture or extent.

        Returns
        -------
        Plan
            With all tables cut; the extents stay whole, so that their names still work. Rows tied
            to no county (indicators, contradictions about the whole) are left out.
        """
        return self._kept(lambda table: table.touching(name))

    def _kept(self, cut: Callable[[PlanTable], PlanTable]) -> Plan:
        tables = {}
        for name, table in self._tables.items():
            if name == "extents" or not len(table):
                tables[name] = table
            elif {"adcodes", "adcode"} & set(table.columns):
                tables[name] = pd.DataFrame(cut(self.table(name)))
            else:
                tables[name] = table.iloc[:0]
        return replace(self, _tables=MappingProxyType(tables))

    def extent(self, name: str) -> Extent:
        """Give an extent of this plan by its key or title.

        Raises
        ------
        UnknownNameError
            If the plan has none of that name.
        """
        labels = _labels(self._by_extent)
        if normalise(name) not in labels:
            raise UnknownNameError(f"extent of {self.key}", name, labels)
        boundaries = self.county_layer if self.record.counties else None
        key = labels[normalise(name)]
        return _extent_from(self._by_extent, key, self.key, boundaries=boundaries)

    @cached_property
    def _by_extent(self) -> Mapping[str, pd.DataFrame]:
        return MappingProxyType(_by_extent(self._tables["extents"]))

    def county_codes(self, name: str) -> frozenset[str]:
        """Give the codes of the counties that a name covers.

        Parameters
        ----------
        name
            A county or prefecture (full, short or former name, or code), or an extent's key or
            title.

        Raises
        ------
        UnknownNameError
            If nothing has that name; near names are suggested.
        """
        asked = normalise(name)
        if asked in self._units:
            return self._units[asked]
        labels = _labels(self._by_extent)
        if asked in labels:
            return frozenset(self.extent(name).adcodes)
        if not self.record.counties:
            try:
                return frozenset(extent(name).adcodes)
            except UnknownNameError:
                pass
        raise UnknownNameError("county, prefecture or extent", name, [*self._units, *labels])

    @cached_property
    def _units(self) -> Mapping[str, frozenset[str]]:
        """County codes under each name; current names win over short, and these over former."""
        counties = self.county_layer
        units: dict[str, frozenset[str]] = {}

        def learn(labels: Iterable[str], codes: Iterable[str]) -> None:
            for label in labels:
                units.setdefault(normalise(label), frozenset(codes))

        full = list(zip(counties["adcode"], counties["name"], strict=True))
        groups: list[tuple[str, str, list[str]]] = []
        if "prefecture" in counties.columns:
            for (code, name), rows in counties.groupby(["prefecture_adcode", "prefecture"]):
                groups.append((str(code), str(name), list(rows["adcode"])))
        for code, name, members in groups:
            learn((code, name, short_name(name)), members)
        for code, name in full:
            learn((code, name, short_name(name)), [code])
        for _, name, members in groups:
            learn((stem(short_name(name)),), members)
        for code, name in full:
            learn((stem(name),), [code])
        places = self.gazetteer
        for code, aliases in places.loc[
            places["kind"] == "county_seat", ["adcode", "aliases"]
        ].itertuples(index=False):
            learn(filter(None, str(aliases).split(";")), [code])
        return MappingProxyType(units)

    # Citations -----------------------------------------------------------------------------------

    def cite(self, id: str) -> Citation:  # noqa: A002 - the column's name
        """Say where a row stands.

        Parameters
        ----------
        id
            Identifier of a row in any of the plan's tables.

        Returns
        -------
        Citation
            Shows itself as one Chinese sentence with title, date, chapter, line and quotation.

        Raises
        ------
        UnknownNameError
            If no row has that identifier.
        """
        for name, table in self._filled():
            for row in table[table["id"] == id].to_dict("records"):
                cite, line, quote = (
                    (row["where_a"], row["line_a"], row["quote_a"])
                    if name == "contradictions"
                    else (row["cite"], row["line"], row["quote"])
                )
                about = self.record
                number = None if pd.isna(line) else int(line)
                return Citation(
                    id, about.key, about.title, about.publisher, about.date, cite, number, quote
                )
        ids = [str(key) for _, table in self._filled() for key in table["id"]]
        raise UnknownNameError(f"row of plan {self.key}", id, ids)


def plans() -> pd.DataFrame:
    """List the bundled plans, the latest first.

    Returns
    -------
    pandas.DataFrame
        ``key``, ``title``, ``number``, ``publisher``, ``date``, ``scope``, ``text``, ``sha256``.
    """
    columns = ["key", "title", "number", "publisher", "date", "scope", "text", "sha256"]
    found = sorted(_plans().values(), key=lambda one: one.date, reverse=True)
    return pd.DataFrame([{name: getattr(one, name) for name in columns} for one in found])[columns]


def plan(
    key_or_folder: str | os.PathLike[str] | Plan,
    text: str | os.PathLike[str] | None = None,
) -> Plan:
    """Read a plan and check its tables.

    Parameters
    ----------
    key_or_folder
        Key of a bundled plan (``"qianzhong-2023"``), or a folder with ``plan.toml`` and tables.
        A :class:`Plan` is given back as it is.
    text
        File of the plan's text, or the folder that holds it. Then its SHA-256 must be the one in
        ``plan.toml`` and every quotation must stand on its line. A text in the plan's own folder
        is used unasked.

    Raises
    ------
    UnknownNameError
        If no bundled plan has the key and no folder has the name.
    TableError
        If a table is refused: a missing column, an unknown county, a repeated identifier, a member
        listed twice, extents in a circle, a wrong encoding, a quotation that is not there; all
        findings at once, with file, row, column and reason.

    Examples
    --------
    >>> from urbangeo.plans import plan
    >>> len(plan("qianzhong-2023").extent("黔中城市群").adcodes)
    33
    """
    if isinstance(key_or_folder, Plan):
        return key_or_folder
    given = os.fspath(key_or_folder)
    folder = data_folder() / "plans" / given if given in _plans() else None
    if folder is None:
        from urbangeo.vector import local_path

        folder = local_path(key_or_folder, "folder of a plan", must_exist=False)
        if not folder.is_dir():
            raise UnknownNameError(
                "plan", given, _plans(), "Give one of these, or the folder of a plan."
            )
    if not (folder / "plan.toml").is_file():
        raise InputError(
            f"The folder {folder} has no plan.toml, which says what the plan is. Write one; the "
            "page on writing a plan shows its fields."
        )
    files = sorted(one for one in folder.iterdir() if one.is_file())
    stamps = tuple((one, one.stat().st_mtime_ns, one.stat().st_size) for one in files)
    return _read(folder, None if text is None else Path(text), stamps)


@lru_cache(maxsize=16)
def _read(folder: Path, text: Path | None, stamps: tuple[object, ...]) -> Plan:
    del stamps  # the key only: a changed file is read again
    about = read_plan_record(folder / "plan.toml")
    findings = [
        f"plan.toml, field {name!r}: the folder has no file {value!r}"
        for name, value in (("counties", about.counties), ("places", about.places))
        if value and not (folder / value).is_file()
    ]
    if findings:
        raise TableError(folder, findings)
    where = text
    if where is None and about.text and (folder / about.text).is_file():
        where = folder
    if where is not None and where.is_dir():
        where = where / about.text
    lines = None if where is None else text_lines(where)
    if where is not None:
        from urbangeo.vector import file_digest

        digest = file_digest(where)
        if digest != about.sha256:
            finding = (
                f"plan.toml, field 'sha256': the text {where} has {digest}, found "
                f"{about.sha256!r}; it is not the text that was read"
            )
            raise TableError(folder, [finding])
    found = Plan(about, folder, MappingProxyType({}))
    counties = found.county_layer
    names = dict(zip(counties["adcode"], counties["name"], strict=True))
    tables = read_plan_tables(folder, names, lines)
    return Plan(about, folder, MappingProxyType(tables))


def _own_counties(path: Path) -> gpd.GeoDataFrame:
    from urbangeo.crs import equal_area
    from urbangeo.vector import read_vector

    counties = read_vector(path, "boundary file", geometry="polygon", unique="adcode")
    missing = [name for name in ("adcode", "name") if name not in counties.columns]
    if missing:
        found = ", ".join(map(str, counties.columns))
        raise TableError(path, [f"column {name!r} is missing; found: {found}" for name in missing])
    counties["adcode"] = counties["adcode"].astype(str)
    if "area_km2" not in counties.columns:
        plane = counties.to_crs(equal_area(counties.total_bounds))
        counties["area_km2"] = plane.area / 1e6
    if "short_name" not in counties.columns:
        counties["short_name"] = counties["name"].map(short_name)
    counties.attrs["provenance"] = {"source": path.name, "attribution": path.name}
    return cast("gpd.GeoDataFrame", counties)
