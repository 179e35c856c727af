"""The tables of a plan: their columns, how they are read, and what is refused.

A plan is a folder with ``plan.toml`` and tables in CSV, one for each subject. Every row has an
identifier, the name as printed, and where it stands: ``cite`` (chapter, box or figure), ``line``
of the text that was read, and ``quote``, the words as printed there. A folder is read whole or
refused with all findings at once, each with its file, row (the first below the header is 1),
column and reason.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.names import normalise, short_name, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

__all__ = [
    "STATUSES",
    "TABLES",
    "PlanRecord",
    "TableSpec",
    "quote_stands",
    "read_plan_record",
    "read_plan_table",
    "read_plan_tables",
    "text_findings",
    "text_lines",
]

STATUSES = ("已建成", "在建", "开工", "前期", "研究")
"""Stages of a project, from the plan's own verbs."""

_ROLES = ("member", "core", "ring", "support", "non_county", "extent")
_STRUCTURES = (
    "axis",
    "belt",
    "ring",
    "corridor",
    "group",
    "core",
    "pole",
    "network",
    "pair",
)
_MODES = ("road", "rail", "metro", "air", "water", "hub")
_OPERATORS = ("", "≥", "≤", ">", "<", "左右", "=")
_KNOWN_BY = ("", "printed", "inferred")
_CONTRADICTIONS = ("contradiction", "duplicate", "misreading", "gap")
_MEASURES = (
    "members",
    "area",
    "rows",
    "distinct",
    "sum",
    "expressway_km",
    "railway_km",
    "arithmetic",
)
# A quotation of a printed table may run on over this many lines.
_QUOTE_LINES = 5
_WHITE = re.compile(r"\s+")


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
    counties
        File of county boundaries in the plan's own folder (``adcode``, ``name``, and
        ``prefecture`` with ``prefecture_adcode`` where there are prefectures); empty for the
        registered layer.
    places
        Gazetteer in the plan's own folder, with the columns of layer ``places``; empty for the
        registered layer.
    """

    key: str
    title: str
    number: str
    publisher: str
    date: str
    scope: str
    text: str
    sha256: str
    counties: str = ""
    places: str = ""


@dataclass(frozen=True)
class TableSpec:
    """What a table must hold.

    Attributes
    ----------
    columns
        Columns that must be there; others are kept as text.
    filled
        Columns in which no cell may be blank.
    choices
        Columns whose values come from a list.
    whole, numbers
        Columns of whole and of any numbers; blank cells are missing values.
    printed
        Columns of numbers as printed, which may also hold words (国家下达): they stay text, and
        beside each stands ``<column>_number`` with the number where the cell holds nothing else.
    unique
        Columns that must not repeat together.
    """

    columns: tuple[str, ...]
    filled: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("note",)


_CITED = "cite line quote"


def _spec(
    columns: str,
    filled: str = "",
    *,
    numbers: str = "",
    printed: str = "",
    unique: str = "",
    **choices: tuple[str, ...],
) -> TableSpec:
    names = tuple(columns.split())
    cited = tuple(_CITED.split()) if "quote" in names else ()
    known_by = {name: _KNOWN_BY for name in names if name.endswith("_source")}
    lines = tuple(name for name in names if re.fullmatch(r"line(_[ab])?|seq", name))
    return TableSpec(
        columns=names,
        filled=("id", *filled.split(), *cited),
        choices=MappingProxyType({**known_by, **choices}),
        whole=lines,
        numbers=tuple(numbers.split()),
        printed=tuple(printed.split()),
        unique=tuple(unique.split()),
    )


_COUNTIES = "adcodes adcodes_source"
TABLES: Mapping[str, TableSpec] = MappingProxyType(
    {
        "extents": _spec(
            f"id extent title adcode name role {_CITED}", "extent title name role", role=_ROLES
        ),
        "structures": _spec(
            f"id structure title kind seq node role {_COUNTIES} {_CITED} note",
            "structure title kind seq",
            unique="structure seq",
            kind=_STRUCTURES,
        ),
        "towns": _spec(
            f"id list name county adcode city place repeat_of county_source {_CITED} note",
            "list name",
        ),
        "cities": _spec(
            f"id name tier adcodes attribute value unit operator year {_CITED} note",
            "name attribute",
            printed="value year",
            operator=_OPERATORS,
        ),
        "parks": _spec(
            f"id name level county {_COUNTIES} lead_industry other_industries {_CITED} note",
            "name",
        ),
        "industry": _spec(f"id name industry place_text {_COUNTIES} {_CITED} note", "name"),
        "tourism": _spec(
            f"id name kind group seq grade place_text {_COUNTIES} {_CITED} note", "name kind"
        ),
        "transport": _spec(
            "id name mode kind from to via grade status verb year promise_min promise_text "
            f"{_COUNTIES} {_CITED} note",
            "name kind",
            numbers="promise_min",
            printed="year",
            mode=("", *_MODES),
            status=("", *STATUSES),
        ),
        "ecology": _spec(
            f"id name kind grade status rule buffer_m {_COUNTIES} {_CITED} note",
            "name kind",
            numbers="buffer_m",
        ),
        "utilities": _spec(
            f"id name kind status verb value unit {_COUNTIES} {_CITED} note",
            "name kind",
            printed="value",
        ),
        "services": _spec(
            f"id name kind grade value unit {_COUNTIES} {_CITED} note", "name kind", printed="value"
        ),
        "indicators": _spec(
            "id group seq name base_year base target_year target unit operator cumulative "
            f"{_CITED} note",
            "name",
            printed="base_year base target_year target",
            operator=_OPERATORS,
            cumulative=("", "0", "1"),
        ),
        "tasks": _spec(
            f"id kind section title lead supporting {_COUNTIES} {_CITED} note",
            "kind title",
            kind=("goal", "task", "project"),
        ),
        "contradictions": _spec(
            "id kind subject where_a line_a quote_a plan_b where_b line_b quote_b used why place "
            f"{_COUNTIES}",
            "kind subject where_a line_a quote_a",
            kind=_CONTRADICTIONS,
        ),
        "promises": _spec(
            f"id name minutes origins targets measures modes year testable why {_CITED} note",
            "name minutes testable",
            numbers="minutes",
            printed="year",
            testable=("0", "1"),
        ),
        "claims": _spec(
            f"id subject measure of stated unit tolerance {_CITED} note",
            "subject measure of stated",
            numbers="stated tolerance",
            measure=_MEASURES,
        ),
    }
)
"""Every table that a plan's folder may hold, by file name without ``.csv``."""


# Reading -----------------------------------------------------------------------------------------


def read_plan_record(path: Path) -> PlanRecord:
    """Read ``plan.toml``.

    Raises
    ------
    TableError
        If a field is missing or unknown, is no text, or the key is not the folder's name.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TableError(path, [f"not TOML in UTF-8: {error}"]) from error
    known = set(PlanRecord.__dataclass_fields__)
    needed = known - {"counties", "places"}
    findings = [f"field {name!r} is missing" for name in sorted(needed - set(content))]
    findings += [
        f"unknown field {name!r}; known: {', '.join(sorted(known))}"
        for name in sorted(set(content) - known)
    ]
    findings += [
        f"field {name!r}: expected text in quotation marks, found {value!r}"
        for name, value in content.items()
        if name in known and not isinstance(value, str)
    ]
    if not findings and content["key"] != path.parent.name:
        findings.append(f"key {content['key']!r} is not the folder's name {path.parent.name!r}")
    if findings:
        raise TableError(path, findings)
    return PlanRecord(**content)


def read_plan_table(path: Path) -> pd.DataFrame:
    """Read one table and type its columns.

    What takes other tables or the list of counties to check is left to
    :func:`read_plan_tables`.

    Parameters
    ----------
    path
        ``<table>.csv``, UTF-8.

    Returns
    -------
    pandas.DataFrame
        Text columns with blank cells as ``""``; line and sequence numbers ``Int64``; other numbers
        ``float64``.

    Raises
    ------
    TableError
        If encoding, columns or cells are not as :data:`TABLES` says; all findings at once.
    """
    import pandas as pd

    if path.stem not in TABLES:
        raise UnknownNameError("table of a plan", path.stem, TABLES)
    spec = TABLES[path.stem]
    raw = _raw_table(path)
    missing = [name for name in spec.columns if name not in raw.columns]
    if missing:
        found = ", ".join(map(str, raw.columns))
        raise TableError(path, [f"column {name!r} is missing; found: {found}" for name in missing])
    table: pd.DataFrame = raw.apply(lambda column: column.str.strip())
    findings = _cell_findings(table, spec)
    if path.stem == "extents":
        findings += _extent_findings(table)
    if findings:
        raise TableError(path, findings)
    for name in spec.whole:
        table[name] = pd.to_numeric(table[name].replace("", None)).astype("Int64")
    for name in spec.numbers:
        table[name] = pd.to_numeric(table[name].replace("", None)).astype(float)
    for name in spec.printed:
        table[f"{name}_number"] = pd.to_numeric(table[name], errors="coerce").astype(float)
    for name in spec.optional:
        if name not in table.columns and "line" in table.columns:
            table[name] = ""
    return table


def read_plan_tables(
    folder: Path,
    counties: Mapping[str, str],
    lines: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Read every table of a plan's folder and check each against the others.

    Parameters
    ----------
    folder
        Holds the tables.
    counties
        Name of each county by its code.
    lines
        Lines of the plan's text, where it is at hand: then every quotation must stand on its line.

    Returns
    -------
    dict
        A table under each name in :data:`TABLES`; empty where the folder has none.

    Raises
    ------
    TableError
        With all findings of all tables.
    """
    import pandas as pd

    findings: list[str] = []
    tables: dict[str, pd.DataFrame] = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem not in TABLES:
            if path.name not in _own_files(folder):
                findings.append(f"{path.name}: no table of a plan; known: {', '.join(TABLES)}")
            continue
        try:
            tables[path.stem] = read_plan_table(path)
        except TableError as error:
            findings += [f"{path.name}, {finding}" for finding in error.findings]
    for name, table in tables.items():
        found = _county_findings(table, counties)
        if lines is not None:
            found += text_findings(table, lines)
        findings += [f"{name}.csv, {finding}" for finding in found]
    findings += _repeated_ids(tables)
    if findings:
        raise TableError(folder, findings)
    for name, spec in TABLES.items():
        if name not in tables:
            tables[name] = pd.DataFrame({column: pd.Series(dtype=str) for column in spec.columns})
    return tables


def _own_files(folder: Path) -> set[str]:
    record = folder / "plan.toml"
    if not record.is_file():
        return set()
    content = read_plan_record(record)
    return {content.counties, content.places}


def _raw_table(path: Path) -> pd.DataFrame:
    from urbangeo.vector import read_table

    raw = path.read_bytes()
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n")
        where = f"row {row}" if row else "header"
        try:
            raw.decode("gb18030")
            kind = "the file is in GB18030, as Excel saves CSV; save it as 'CSV UTF-8'"
        except UnicodeDecodeError:
            kind = "save it as UTF-8"
        raise TableError(path, [f"{where}: expected UTF-8; {kind}"]) from error
    table: pd.DataFrame = read_table(path, encoding="utf-8")
    return table


def _rows(mask: Iterable[bool]) -> list[int]:
    return [row for row, hit in enumerate(mask, start=1) if hit]


def _cell_findings(table: pd.DataFrame, spec: TableSpec) -> list[str]:
    findings: list[str] = []

    def note(column: str, bad: Callable[[str], object], expected: str) -> None:
        findings.extend(
            f"row {row}, column {column!r}: expected {expected}, found {cell!r}"
            for row, cell in enumerate(table[column], start=1)
            if bad(cell)
        )

    for name in spec.filled:
        note(name, lambda cell: not cell, "a value")
    for name, allowed in spec.choices.items():
        # A blank cell in a column that must be filled is told once, above.
        shown = ", ".join(repr(one) for one in allowed)
        passed = {*allowed, ""} if name in spec.filled else set(allowed)
        note(name, partial(_is_strange, passed), f"one of {shown}")
    for name in spec.whole:
        note(name, lambda cell: bool(cell) and not re.fullmatch("[0-9]+", cell), "a whole number")
    for name in spec.numbers:
        note(name, lambda cell: bool(cell) and not _is_number(cell), "a number")
    for columns in (("id",), spec.unique):
        if columns:
            repeated = table.duplicated(list(columns), keep=False)
            findings += [
                f"row {row}, column {columns[-1]!r}: "
                f"{' '.join(str(table[name].iloc[row - 1]) for name in columns)!r} repeats"
                for row in _rows(repeated)
            ]
    return findings


def _is_strange(passed: set[str], cell: str) -> bool:
    return cell not in passed


def _is_number(cell: str) -> bool:
    try:
        return abs(float(cell)) < float("inf")
    except ValueError:
        return False


def _extent_findings(table: pd.DataFrame) -> list[str]:
    findings: list[str] = []
    keys = set(table["extent"])
    notes = table["note"] if "note" in table.columns else [""] * len(table)
    for row, (code, role, name, why) in enumerate(
        zip(table["adcode"], table["role"], table["name"], notes, strict=True), start=1
    ):
        if role in {"non_county", "extent"} and code:
            findings.append(
                f"row {row}, column 'adcode': expected none for the role {role!r}, found {code!r}"
            )
        elif role not in {"non_county", "extent"} and not (
            re.fullmatch(r"\d{6}", code) or (why and not code)
        ):
            findings.append(
                f"row {row}, column 'adcode': expected a six-digit code, found {code!r}; a unit "
                "that is no county has the role 'non_county', one outside the region a note"
            )
        if role == "extent" and name not in keys:
            findings.append(
                f"row {row}, column 'name': no extent of this plan has the key {name!r}"
            )
    label = table["adcode"].where(table["adcode"] != "", table["name"])
    repeated = table.assign(label=label).duplicated(["extent", "label"], keep=False)
    findings += [
        f"row {row}, column 'name': {table['name'].iloc[row - 1]!r} is listed twice in the extent "
        f"{table['extent'].iloc[row - 1]!r}"
        for row in _rows(repeated)
    ]
    for column, other in (("extent", "title"), ("title", "extent")):
        first: dict[str, str] = {}
        for row, (key, value) in enumerate(zip(table[column], table[other], strict=True), start=1):
            if first.setdefault(key, value) != value:
                findings.append(
                    f"row {row}, column {other!r}: {column} {key!r} has {value!r} here and "
                    f"{first[key]!r} before"
                )
    return findings + _cycles(table)


def _cycles(table: pd.DataFrame) -> list[str]:
    """Name every cycle of extents that are members of each other, once."""
    parts = table[table["role"] == "extent"]
    below: dict[str, list[str]] = {}
    for key, name in zip(parts["extent"], parts["name"], strict=True):
        below.setdefault(key, []).append(name)
    findings: dict[frozenset[str], str] = {}

    def visit(key: str, path: tuple[str, ...]) -> None:
        if key in path:
            cycle = path[path.index(key) :]
            row = next(
                row
                for row, (owner, role, name) in enumerate(
                    zip(table["extent"], table["role"], table["name"], strict=True), start=1
                )
                if owner == cycle[-1] and role == "extent" and name == key
            )
            findings.setdefault(
                frozenset(cycle),
                f"row {row}, column 'name': the extents {' → '.join((*cycle, key))} go in a circle",
            )
            return
        for name in below.get(key, ()):
            visit(name, (*path, key))

    for key in below:
        visit(key, ())
    return list(findings.values())


def _county_findings(table: pd.DataFrame, counties: Mapping[str, str]) -> list[str]:
    findings: list[str] = []
    for column in ("adcode", "adcodes"):
        if column not in table.columns:
            continue
        for row, cell in enumerate(table[column], start=1):
            codes = [code.strip() for code in cell.split(";")] if cell else []
            findings += [
                f"row {row}, column {column!r}: no county has the code {code!r}"
                for code in codes
                if code not in counties
            ]
            if len(set(codes)) < len(codes):
                findings.append(f"row {row}, column {column!r}: a county stands twice in {cell!r}")
    for column in ("county", "name"):
        if not {column, "adcode"} <= set(table.columns) or (
            column == "name" and "extent" not in table.columns
        ):
            continue
        for row, (name, code) in enumerate(zip(table[column], table["adcode"], strict=True), 1):
            if code in counties and normalise(name) not in _forms(counties[code]):
                findings.append(
                    f"row {row}, column {column!r}: {name!r} is not the county {code}, which is "
                    f"{counties[code]}"
                )
    if "county" in table.columns and "adcodes" in table.columns:
        known = {form for name in counties.values() for form in _forms(name)}
        for row, cell in enumerate(table["county"], start=1):
            findings += [
                f"row {row}, column 'county': no county is called {name!r}"
                for name in filter(None, (one.strip() for one in cell.split(";")))
                if normalise(name) not in known
            ]
    return findings


@lru_cache(maxsize=4096)
def _forms(name: str) -> frozenset[str]:
    return frozenset({normalise(name), normalise(short_name(name)), normalise(stem(name))})


def _repeated_ids(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    seen: dict[str, str] = {}
    findings: list[str] = []
    for name, table in tables.items():
        for row, key in enumerate(table["id"], start=1):
            where = f"{name}.csv, row {row}"
            if key in seen and not seen[key].startswith(f"{name}.csv,"):
                findings.append(f"{where}, column 'id': {key!r} stands also in {seen[key]}")
            seen.setdefault(key, where)
    if "towns" in tables:
        ids = set(tables["towns"]["id"])
        findings += [
            f"towns.csv, row {row}, column 'repeat_of': no town has the id {key!r}"
            for row, key in enumerate(tables["towns"]["repeat_of"], start=1)
            if key and key not in ids
        ]
    return findings


# The text ----------------------------------------------------------------------------------------


def text_lines(path: Path) -> list[str]:
    """Give the lines of a plan's text; the first is line 1.

    Raises
    ------
    InputError
        If there is no such file.
    TableError
        If it is not UTF-8.
    """
    if not path.is_file():
        raise InputError(f"The plan's text {path} does not exist. Check the path.")
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise TableError(path, [f"the text is not UTF-8: {error}"]) from error


def quote_stands(lines: Sequence[str], line: int, quote: str) -> bool:
    """Tell whether a quotation begins on a line of a text.

    White space does not count, because a text read from a page has it anywhere. A quotation may
    run on over the next lines, as cells of a printed table do, but must begin on its own.

    Parameters
    ----------
    lines
        The text, line by line.
    line
        Number of the line, from 1.
    quote
        The words as printed.

    Examples
    --------
    >>> quote_stands(["甲县、乙", "县和丙县"], 1, "乙县和"), quote_stands(["甲", "乙"], 1, "乙")
    (True, False)
    """
    wanted = _WHITE.sub("", quote)
    if not wanted or not 1 <= line <= len(lines):
        return False
    block = [_WHITE.sub("", text) for text in lines[line - 1 : line - 1 + _QUOTE_LINES]]
    start = "".join(block).find(wanted)
    # found in the first line, or beginning in it
    return 0 <= start < max(len(block[0]), 1)


def text_findings(table: pd.DataFrame, lines: Sequence[str]) -> list[str]:
    """Say which rows cite a line that the text does not have, or words that do not stand there.

    Parameters
    ----------
    table
        A table with ``line`` and ``quote``, or with ``line_a``, ``quote_a``, ``plan_b``,
        ``line_b`` and ``quote_b``; what cites another plan is passed over.
    lines
        The plan's text.

    Returns
    -------
    list of str
        One sentence for each finding, with row and column.
    """
    import pandas as pd

    findings: list[str] = []
    for line_column, quote_column in (
        ("line", "quote"),
        ("line_a", "quote_a"),
        ("line_b", "quote_b"),
    ):
        if line_column not in table.columns:
            continue
        for row, (line, quote) in enumerate(
            zip(table[line_column], table[quote_column], strict=True), start=1
        ):
            if pd.isna(line) or (line_column == "line_b" and table["plan_b"].iloc[row - 1]):
                continue
            if line > len(lines):
                findings.append(
                    f"row {row}, column {line_column!r}: the text has {len(lines)} lines, "
                    f"found {line}"
                )
            elif not quote_stands(lines, int(line), quote):
                findings.append(
                    f"row {row}, column {quote_column!r}: {quote!r} does not stand on line {line}, "
                    f"which reads {lines[int(line) - 1][:60]!r}"
                )
    return findings
