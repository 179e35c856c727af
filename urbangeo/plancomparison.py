"""What is new in one plan against another, and what the two say differently."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from urbangeo.errors import UnknownNameError
from urbangeo.names import normalise, stem
from urbangeo.plans import Plan, plan

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

__all__ = ["comparable", "compare_plans"]

# By which columns a row of a table is the same thing in two plans, and what is compared of it.
_COMPARED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "extents": (("extent", "unit"), ("role",)),
        "structures": (("title",), ("node",)),
        "towns": (("place",), ("list",)),
        "cities": (("name", "attribute", "year"), ("operator", "value", "unit")),
        "parks": (("name",), ("level", "lead_industry")),
        "industry": (("name",), ("place_text",)),
        "tourism": (("name", "kind"), ("grade",)),
        "transport": (("name",), ("status", "verb")),
        "ecology": (("name", "kind"), ("grade", "status")),
        "utilities": (("name", "kind"), ("status", "value", "unit")),
        "services": (("name", "kind"), ("grade", "value", "unit")),
        "indicators": (("name",), ("base_year", "base", "target_year", "operator", "target")),
    }
)


def compare_plans(
    a: str | os.PathLike[str] | Plan,
    b: str | os.PathLike[str] | Plan,
    tables: Sequence[str] | str | None = None,
) -> pd.DataFrame:
    """Compare two plans, table by table.

    A thing is the same in both when its name is, without units and brackets; an extent's member
    when extent and county are; a town when county and name are.

    Parameters
    ----------
    a, b
        Plans, as :func:`plan` takes them; the older one first reads best.
    tables
        Compare only these; by default all that can be: not tasks, contradictions and claims.

    Returns
    -------
    pandas.DataFrame
        One row for each thing: ``table``, ``subject``, ``change`` (``only_a``, ``only_b``,
        ``differs``, ``same``), ``a`` and ``b`` (what each says of it), ``cite_a``, ``line_a``,
        ``cite_b``, ``line_b``. ``.attrs["plans"]`` holds both keys.

    Raises
    ------
    UnknownNameError
        If a plan or table is not known, or cannot be compared.
    """
    one, other = plan(a), plan(b)
    chosen = [tables] if isinstance(tables, str) else list(tables or _COMPARED)
    rows: list[dict[str, Any]] = []
    for name in chosen:
        if name not in _COMPARED:
            raise UnknownNameError("table that can be compared", name, _COMPARED)
        left, right = _things(one, name), _things(other, name)
        for subject in dict.fromkeys([*left, *right]):
            first, second = left.get(subject), right.get(subject)
            change = (
                "only_b"
                if first is None
                else "only_a"
                if second is None
                else "same"
                if first["says"] == second["says"]
                else "differs"
            )
            shown = first or second or {}
            rows.append(
                {
                    "table": name,
                    "subject": shown["label"],
                    "change": change,
                    "a": "" if first is None else first["says"],
                    "b": "" if second is None else second["says"],
                    "cite_a": "" if first is None else first["cite"],
                    "line_a": None if first is None else first["line"],
                    "cite_b": "" if second is None else second["cite"],
                    "line_b": None if second is None else second["line"],
                }
            )
    columns = ["table", "subject", "change", "a", "b", "cite_a", "line_a", "cite_b", "line_b"]
    result = pd.DataFrame(rows, columns=columns).astype({"line_a": "Int64", "line_b": "Int64"})
    result.attrs["plans"] = (one.key, other.key)
    return result


def _things(found: Plan, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Give each thing of a table under what identifies it, with what is said of it."""
    by, said = _COMPARED[name]
    table = found._tables[name]
    if name == "extents" and len(table):
        unit = table["adcode"].where(table["adcode"] != "", table["name"])
        table = table.assign(unit=unit)
    if name == "towns" and len(table):
        bare = [stem(normalise(one), "town") for one in table["name"]]
        table = table.assign(
            place=[f"{code}{one}" for code, one in zip(table["adcode"], bare, strict=True)]
        )
    things: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in table.to_dict("records"):
        subject = tuple(comparable(row[column]) for column in by)
        words = " ".join(str(row[column]) for column in said if str(row[column]))
        if subject in things:
            if words and words not in things[subject]["says"].split("；"):
                things[subject]["says"] = f"{things[subject]['says']}；{words}".strip("；")
            continue
        if name == "extents":
            label = f"{row['title']}：{row['name']}"
        elif name == "towns":
            label = f"{row['name']}（{row['county']}）" if row["county"] else str(row["name"])
        else:
            label = " ".join(str(row[column]) for column in by if str(row[column]))
        things[subject] = {
            "label": label,
            "says": words,
            "cite": row["cite"],
            "line": row["line"],
        }
    return things


def comparable(cell: object) -> str:
    """Bring a name to the form in which two plans may share it.

    Brackets with what is in them go, and quotation marks; dashes and 至 become one.

    Examples
    --------
    >>> comparable("贵阳至南宁（贵南）高铁"), comparable("“外环”公路")
    ('贵阳-南宁高铁', '外环公路')
    """
    text = normalise(str(cell)).replace("—", "-").replace("－", "-").replace("至", "-")
    return re.sub(r"\(.*?\)|[“”\"'《》]", "", text)
