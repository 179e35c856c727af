"""What a plan states that can be computed again: member counts, areas, sums, lengths, growth.

Such statements stand in ``claims.csv`` of the plan's folder, one row each: ``measure`` says how
``stated`` is computed anew, ``of`` what from, ``tolerance`` (in the statement's unit) how far the
two may lie apart. Without a tolerance the two are not comparable; both are reported, and ``note``
says why.

``members``, ``area``
    Counties of an extent, and the sum of their areas; ``of`` is its key, and the unit of an area
    平方公里 or 万平方公里.
``rows``, ``distinct``, ``sum``
    Rows of a table that hold certain values (``towns list=特色节点城镇``), the distinct values of
    columns among them (``towns.adcode+name list=…``), the sum of a column of numbers
    (``cities.value attribute=城区常住人口``).
``expressway_km``, ``railway_km``
    Length in the bundled network inside an extent, open at the end of a year; ``of`` is
    ``qianzhong 2022``.
``arithmetic``
    Numbers with + − * / and brackets: ``1279 / (3404 - 1279) * 100``.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

import pandas as pd

from urbangeo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urbangeo.plans import Extent, Plan

__all__ = ["arithmetic", "recompute"]

_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

_AREA_UNITS = {"平方公里": 1.0, "万平方公里": 1e4}


def recompute(plan: Plan, measure: str, of: str, unit: str = "") -> float:
    """Compute a statement of a plan anew.

    Parameters
    ----------
    plan
        The plan.
    measure, of, unit
        As the module says.

    Raises
    ------
    InputError
        If ``of`` cannot be read; the message says what was expected.
    """
    if measure == "arithmetic":
        return arithmetic(of)
    if measure == "members":
        return float(len(plan.extent(of).adcodes))
    if measure == "area":
        if unit not in _AREA_UNITS:
            raise InputError(f"Expected an area in {' or '.join(_AREA_UNITS)}, found {unit!r}.")
        return plan.extent(of).area_km2 / _AREA_UNITS[unit]
    if measure in {"rows", "distinct", "sum"}:
        return _of_table(plan, measure, of)
    if measure in {"expressway_km", "railway_km"}:
        name, _, year = of.rpartition(" ")
        if not name or not year.isdigit():
            raise InputError(f"Expected an extent and a year ('qianzhong 2022'), found {of!r}.")
        return _network_km(plan.extent(name), int(year), measure)
    raise InputError(f"Unknown measure {measure!r} of a claim.")


def arithmetic(text: str) -> float:
    """Compute an expression of numbers, + − * / and brackets.

    Raises
    ------
    InputError
        If there is anything else in it, or a division by zero.

    Examples
    --------
    >>> round(arithmetic("1279 / (3404 - 1279) * 100"), 2)
    60.19
    """

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            return float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](value(node.left), value(node.right))
        raise InputError(f"Expected numbers, + - * / and brackets, found {text!r}.")

    try:
        return value(ast.parse(text.replace("−", "-"), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, RecursionError) as error:
        raise InputError(f"The expression {text!r} cannot be computed: {error}.") from error


def _of_table(plan: Plan, measure: str, of: str) -> float:
    target, *filters = of.split()
    name, _, column_text = target.partition(".")
    table = pd.DataFrame(plan.table(name))
    columns = [column for column in column_text.split("+") if column]
    conditions = [condition.partition("=") for condition in filters]
    for column in (*columns, *(left for left, _, _ in conditions)):
        if column not in table.columns:
            raise InputError(
                f"The table {name!r} has no column {column!r} (asked for by {of!r}); "
                f"found: {', '.join(map(str, table.columns))}."
            )
    for left, _, right in conditions:
        table = table[table[left].astype(str) == right]
    if measure == "rows":
        return float(len(table))
    if not columns:
        raise InputError(f"Expected table.column in {of!r}, found no column.")
    if measure == "distinct":
        return float(len(table.drop_duplicates(columns)))
    numbers = pd.to_numeric(table[columns[0]], errors="coerce")
    if numbers.isna().any():
        raise InputError(
            f"{of!r} sums {int(numbers.isna().sum())} cell(s) that hold no number; filter them out."
        )
    return float(numbers.sum())


def _network_km(extent: Extent, year: int, measure: str) -> float:
    import geopandas as gpd

    from urbangeo.crs import WGS84, equal_area
    from urbangeo.network import Network

    links = Network.backbone(year).links
    chosen = (
        links["class"] == "expressway" if measure == "expressway_km" else links["mode"] == "rail"
    )
    links = links[chosen]
    crs = equal_area(links.total_bounds)
    outline = gpd.GeoSeries([extent.outline], crs=WGS84).to_crs(crs).iloc[0]
    lines = links.geometry.to_crs(crs)
    lines = lines[lines.length > 0]
    # The stated or stretched length of a link, by the share of its line that lies inside.
    share = lines.intersection(outline).length / lines.length
    return float((links.loc[lines.index, "length_m"] * share).sum() / 1000)
