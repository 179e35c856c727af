"""The schemas of the layers, as pandera sees them; the register names them.

Pandera is heavy, so this module is imported only where a layer is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.pandas as pa
from pandera.errors import SchemaErrors

from urbangeo.errors import TableError, UnknownNameError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["PLACE_KINDS", "SCHEMAS", "check"]

PLACE_KINDS = (
    "prefecture_seat",
    "county_seat",
    "town",
    "station",
    "airport",
    "site",
    "park",
)
_NODE_KINDS = ("junction", "interchange", "station", "place", "waypoint")
_MODES = ("road", "rail", "walk")
_STATUSES = ("已建成", "在建", "开工", "前期", "研究")


def _text(*, blank: bool = False, **more: Any) -> pa.Column:
    checks = list(more.pop("checks", []))
    if not blank:
        checks.append(pa.Check.str_length(min_value=1, error="must not be blank"))
    return pa.Column(str, checks, **more)


def _code(pattern: str = r"^\d{6}$", **more: Any) -> pa.Column:
    return pa.Column(str, pa.Check.str_matches(pattern, error="must be a six-digit code"), **more)


def _number(low: float, high: float, **more: Any) -> pa.Column:
    return pa.Column(
        float,
        pa.Check.in_range(low, high, error=f"must be between {low:g} and {high:g}"),
        coerce=True,
        **more,
    )


def _positive(**more: Any) -> pa.Column:
    return pa.Column(
        float,
        [
            pa.Check.gt(0, error="must be greater than 0"),
            pa.Check.lt(float("inf"), error="must be finite"),
        ],
        coerce=True,
        **more,
    )


def _choice(*allowed: str) -> pa.Column:
    return pa.Column(str, pa.Check.isin(allowed, error=f"must be one of {', '.join(allowed)}"))


_BOUNDARY = {
    "adcode": _code(unique=True),
    "name": _text(),
    "short_name": _text(),
    "area_km2": _positive(),
}
_POINT = {
    "lon": _number(-180, 180),
    "lat": _number(-90, 90),
    "precision_m": _positive(),
    "source": _text(),
}

SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "boundary": pa.DataFrameSchema(_BOUNDARY),
    "county_boundary": pa.DataFrameSchema(
        {**_BOUNDARY, "prefecture": _text(), "prefecture_adcode": _code(r"^\d{4}00$")}
    ),
    "places": pa.DataFrameSchema(
        {
            "name": _text(),
            "kind": _choice(*PLACE_KINDS),
            "county": _text(),
            "adcode": _code(),
            **_POINT,
            "aliases": _text(blank=True),
        },
        unique=["adcode", "name"],
    ),
    "towns": pa.DataFrameSchema(
        {
            "name": _text(),
            "kind": _choice("town"),
            "county": _text(),
            "adcode": _code(),
            **_POINT,
            "aliases": _text(blank=True),
            "name_en": _text(),
            "geonameid": pa.Column(int, pa.Check.gt(0), unique=True),
            "population": pa.Column(int, pa.Check.ge(0)),
        }
    ),
    "network_nodes": pa.DataFrameSchema(
        {
            "id": _text(unique=True),
            "kind": _choice(*_NODE_KINDS),
            "name": _text(blank=True),
            "adcode": _code(r"^(\d{6})?$"),
            **_POINT,
        }
    ),
    "network_links": pa.DataFrameSchema(
        {
            "id": _text(unique=True),
            "from": _text(),
            "to": _text(),
            "mode": _choice(*_MODES),
            "class": _text(),
            "ref": _text(blank=True),
            "name": _text(blank=True),
            "length_m": _positive(nullable=True),
            "oneway": _text(blank=True),
            "status": _choice(*_STATUSES),
            "open_year": _number(1800, 2200, nullable=True),
            "planned_year": _number(1800, 2200, nullable=True),
            "cite": _text(blank=True),
            "source": _text(),
            "precision_m": _positive(),
        }
    ),
}
"""Schema of each kind of layer; columns beyond these are let through."""


def check(frame: gpd.GeoDataFrame, schema: str, what: object) -> gpd.GeoDataFrame:
    """Check a layer against a schema and give it back with its numbers coerced.

    Parameters
    ----------
    frame
        The layer.
    schema
        A name in :data:`SCHEMAS`.
    what
        The file or layer, as the error should name it.

    Raises
    ------
    TableError
        If a column is missing or a value is refused; every finding is listed, with the row
        counted from 1.
    UnknownNameError
        If there is no such schema.
    """
    if schema not in SCHEMAS:
        raise UnknownNameError("schema", schema, SCHEMAS)
    try:
        checked: gpd.GeoDataFrame = SCHEMAS[schema].validate(frame, lazy=True)
    except SchemaErrors as error:
        raise TableError(what, _findings(error, frame)) from error
    return checked


def _findings(error: SchemaErrors, frame: gpd.GeoDataFrame) -> list[str]:
    cases = error.failure_cases
    row_of = {label: number for number, label in enumerate(frame.index, start=1)}
    findings: list[str] = []
    for case in cases.itertuples():
        if case.check == "column_in_dataframe":
            have = ", ".join(str(column) for column in frame.columns)
            findings.append(f"column {case.failure_case!r} is missing; found: {have}")
            continue
        row = row_of.get(case.index)
        where = f"row {row}, " if row is not None else ""
        rule = {"not_nullable": "must not be empty", "field_uniqueness": "must not repeat"}.get(
            str(case.check), str(case.check)
        )
        if "multiple_fields_uniqueness" in rule:
            rule = "must not repeat together with its fellow columns"
        findings.append(f"{where}column {case.column!r}: {rule}, found {case.failure_case!r}")
    return list(dict.fromkeys(findings))
