"""What a plan says, each fact with its citation: the plan as a document, and its extents."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from urbangeo.catalog import data_folder, region
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.names import normalise, stem

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

__all__ = ["Extent", "PlanRecord", "extent", "plan_record"]

_MEMBER_COLUMNS = ("adcode", "name", "role", "cite", "line")
_EXTENT_COLUMNS = ("id", "extent", "title", *_MEMBER_COLUMNS, "quote")


@dataclass(frozen=True)
class PlanRecord:
    """A plan as a document.

    Attributes
    ----------
    key
        Short name, which is also its folder's.
    title, number, publisher, date
        As printed; ``number`` is empty where none is printed.
    scope
        Area and years that the plan states for itself.
    text
        File name of the text that was read.
    sha256
        SHA-256 of that text.
    """

    key: str
    title: str
    number: str
    publisher: str
    date: str
    scope: str
    text: str
    sha256: str


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

    @property
    def members(self) -> pd.DataFrame:
        """Members, one row each: ``adcode``, ``name``, ``role``, ``cite``, ``line`` of the text."""
        import pandas as pd

        if self._members is not None:
            return self._members[list(_MEMBER_COLUMNS)].copy()
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
        from urbangeo.layer import load

        counties = load("counties", source=self.source)
        by_code = counties.set_index("adcode", drop=False)
        missing = [code for code in self.adcodes if code not in by_code.index]
        if missing:
            names = dict(zip(self._names["adcode"], self._names["name"], strict=True))
            raise TableError(
                f"extent {self.name!r}",
                [
                    f"member {code} {names.get(code, '')} is not in the boundaries from "
                    f"{counties.attrs['provenance']['source']}; use boundaries of the same vintage"
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
        import pandas as pd

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
    """Give a plan as a document.

    Raises
    ------
    UnknownNameError
        If no plan has that key.
    """
    records = _plans()
    if key not in records:
        raise UnknownNameError("plan", key, records)
    return records[key]


def extent(name: str | Extent, source: str | os.PathLike[str] | None = None) -> Extent:
    """Find an extent.

    Parameters
    ----------
    name
        Its key (``"qianzhong"``) or Chinese title (``"黔中城市群"``); ``"guizhou"`` is all
        counties of the region. Where several plans draw an extent of one name, the latest plan's
        is given; ``"qianzhong-2023/qianzhong"`` asks for a certain plan's. An :class:`Extent`
        is given back, with ``source`` if that is given.
    source
        Source of the boundaries for its outline and area, as :func:`urbangeo.load` takes it.

    Raises
    ------
    UnknownNameError
        If there is no such extent; near names are suggested.

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
    known: dict[str, tuple[str, str]] = {}
    for key in sorted(_plans(), key=lambda plan: _plans()[plan].date):
        for rows in _extents(key).values():
            found = (key, str(rows["extent"].iloc[0]))
            for label in (found[1], str(rows["title"].iloc[0])):
                known[label] = found
                known[f"{key}/{label}"] = found
    if asked not in known:
        bare = [label for label in known if "/" not in label]
        raise UnknownNameError("extent", name, [*bare, whole, about.name])
    plan, key = known[asked]
    rows = _extents(plan)[key]
    return Extent(key, str(rows["title"].iloc[0]), plan, tuple(rows["adcode"]), source, rows)


@lru_cache(maxsize=1)
def _plans() -> Mapping[str, PlanRecord]:
    records: dict[str, PlanRecord] = {}
    for path in sorted((data_folder() / "plans").glob("*/plan.toml")):
        with path.open("rb") as stream:
            content = tomllib.load(stream)
        expected = set(PlanRecord.__dataclass_fields__)
        if set(content) != expected:
            finding = (
                f"expected the fields {', '.join(sorted(expected))}; "
                f"found {', '.join(sorted(content))}"
            )
            raise TableError(path, [finding])
        entry = PlanRecord(**content)
        if entry.key != path.parent.name:
            raise TableError(path, [f"key {entry.key!r} is not the folder {path.parent.name!r}"])
        records[entry.key] = entry
    return MappingProxyType(records)


@lru_cache(maxsize=16)
def _extents(plan: str) -> Mapping[str, pd.DataFrame]:
    from urbangeo.vector import read_table

    path = data_folder() / "plans" / plan / "extents.csv"
    if not path.is_file():
        return MappingProxyType({})
    table = read_table(path)
    findings = _extent_findings(table)
    if findings:
        raise TableError(path, findings)
    table["line"] = table["line"].astype(int)
    return MappingProxyType(
        {str(key): rows.reset_index(drop=True) for key, rows in table.groupby("extent", sort=False)}
    )


def _extent_findings(table: pd.DataFrame) -> list[str]:
    missing = [column for column in _EXTENT_COLUMNS if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        return [f"column {column!r} is missing; found: {found}" for column in missing]
    findings: list[str] = []
    for row, values in enumerate(table.itertuples(index=False), start=1):
        if not str(values.adcode).isdigit() or len(str(values.adcode)) != 6:
            findings.append(f"row {row}, column 'adcode': not a six-digit code: {values.adcode!r}")
        if not str(values.line).isdigit():
            findings.append(f"row {row}, column 'line': not a line number: {values.line!r}")
    for columns in (["id"], ["extent", "adcode"]):
        repeated = table.duplicated(columns, keep=False)
        findings += [
            f"row {row}: {' and '.join(columns)} repeat"
            for row, hit in enumerate(repeated, start=1)
            if hit
        ]
    titles = table.groupby("extent")["title"].nunique()
    findings += [f"extent {key!r} has several titles" for key in titles.index[titles > 1]]
    return findings
