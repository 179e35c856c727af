"""Tables of a plan: what is read, and what is refused with file, row, column and reason."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.plans import plan, plans
from urbangeo.plantables import (
    TABLES,
    quote_stands,
    read_plan_record,
    read_plan_table,
    text_findings,
    text_lines,
)

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
Rows = list[dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the invented plan, to be spoilt."""
    return Path(shutil.copytree(INVENTED, tmp_path / INVENTED.name))


def change(path: Path, spoil: Callable[[Rows], object]) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    spoil(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def setting(row: int, **cells: str) -> Callable[[Rows], object]:
    return lambda rows: rows[row - 1].update(cells)


def without(column: str) -> Callable[[Rows], object]:
    return lambda rows: [row.pop(column) for row in rows]


def refused(folder: Path) -> list[str]:
    with pytest.raises(TableError) as caught:
        plan(folder)
    return caught.value.findings


# Reading -----------------------------------------------------------------------------------------


def test_columns_are_typed() -> None:
    cities = read_plan_table(INVENTED / "cities.csv")
    assert cities["line"].dtype == "Int64"
    assert cities["value"].tolist() == ["900", "300", "国家下达"]
    assert cities["value_number"].iloc[:2].tolist() == [900, 300]
    assert cities["value_number"].isna().tolist() == [False, False, True]
    assert cities["note"].iloc[0] == ""


def test_a_table_without_rows_is_there_and_empty() -> None:
    tasks = plan(INVENTED).tasks
    assert len(tasks) == 0
    assert list(tasks.columns) == list(TABLES["tasks"].columns)


def test_a_table_that_plans_do_not_have() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean towns"):
        read_plan_table(INVENTED / "town.csv")


@pytest.mark.parametrize("key", plans()["key"])
def test_every_bundled_plan_can_be_read(key: str) -> None:
    found = plan(key)
    for name in found.tables_held():
        table = found.table(name)
        assert table["id"].is_unique
        assert (table["id"] != "").all()


# Bad input ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[str, Callable[[Rows], object], str]] = {
    "missing column": ("towns", without("county"), "towns.csv, column 'county' is missing"),
    "unknown county": (
        "parks",
        setting(1, adcodes="990199"),
        "parks.csv, row 1, column 'adcodes': no county has the code '990199'",
    ),
    "unknown county name": (
        "parks",
        setting(1, county="望江县"),
        "parks.csv, row 1, column 'county': no county is called '望江县'",
    ),
    "name and code disagree": (
        "towns",
        setting(2, county="白石县"),
        "towns.csv, row 2, column 'county': '白石县' is not the county 990101, which is 云江县",
    ),
    "duplicate id": (
        "towns",
        setting(2, id="lc30-town-001"),
        "towns.csv, row 2, column 'id': 'lc30-town-001' repeats",
    ),
    "id of another table": (
        "parks",
        setting(1, id="lc30-town-001"),
        "column 'id': 'lc30-town-001' stands also in",
    ),
    "line that does not exist": (
        "towns",
        setting(1, line="999"),
        "towns.csv, row 1, column 'line': the text has 21 lines, found 999",
    ),
    "words that are not there": (
        "towns",
        setting(1, quote="云江县：青波"),
        "towns.csv, row 1, column 'quote': '云江县：青波' does not stand on line 11",
    ),
    "line that is no number": (
        "towns",
        setting(1, line="十一"),
        "towns.csv, row 1, column 'line': expected a whole number, found '十一'",
    ),
    "member listed twice": (
        "extents",
        setting(2, adcode="990101", name="云江县"),
        "extents.csv, row 2, column 'name': '云江县' is listed twice in the extent 'lanchuan'",
    ),
    "cycle of extents": (
        "extents",
        setting(9, adcode="", name="all-parts", role="extent"),
        "extents.csv, row 11, column 'name': the extents songhu → all-parts → songhu go in a",
    ),
    "member of no extent": (
        "extents",
        setting(10, name="nowhere"),
        "extents.csv, row 10, column 'name': no extent of this plan has the key 'nowhere'",
    ),
    "a county without its code": (
        "extents",
        setting(1, adcode=""),
        "extents.csv, row 1, column 'adcode': expected a six-digit code, found ''",
    ),
    "a code for what is no county": (
        "extents",
        setting(7, adcode="990103"),
        "extents.csv, row 7, column 'adcode': expected none for the role 'non_county'",
    ),
    "two titles": (
        "extents",
        setting(2, title="别名"),
        "extents.csv, row 2, column 'title': extent 'lanchuan' has '别名' here and '澜川市' before",
    ),
    "a value that is not in the list": (
        "transport",
        setting(2, status="竣工"),
        "transport.csv, row 2, column 'status': expected one of '', '已建成'",
    ),
    "blank where a value must be": (
        "towns",
        setting(4, quote=""),
        "towns.csv, row 4, column 'quote': expected a value, found ''",
    ),
    "no number": (
        "transport",
        setting(1, promise_min="一小时"),
        "transport.csv, row 1, column 'promise_min': expected a number, found '一小时'",
    ),
    "order given twice": (
        "structures",
        setting(2, seq="1"),
        "structures.csv, row 2, column 'seq': 'axis 1' repeats",
    ),
    "repeat of nothing": (
        "towns",
        setting(3, repeat_of="lc30-town-009"),
        "towns.csv, row 3, column 'repeat_of': no town has the id 'lc30-town-009'",
    ),
    "county twice in a cell": (
        "transport",
        setting(1, adcodes="990101;990101"),
        "transport.csv, row 1, column 'adcodes': a county stands twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_with_file_row_column_and_reason(name: str, folder: Path) -> None:
    table, spoil, expected = BAD[name]
    plan(folder)
    change(folder / f"{table}.csv", spoil)
    assert any(expected in finding for finding in refused(folder)), refused(folder)


def test_all_findings_of_all_tables_come_at_once(folder: Path) -> None:
    change(folder / "towns.csv", setting(2, adcode="990199"))
    change(folder / "parks.csv", setting(1, adcodes="990198"))
    change(folder / "transport.csv", setting(1, status="竣工"))
    change(folder / "claims.csv", setting(1, line="998"))
    found = refused(folder)
    assert [finding.partition(",")[0] for finding in found] == [
        "transport.csv",
        "claims.csv",
        "parks.csv",
        "towns.csv",
    ]


def test_excel_csv_in_gb18030(folder: Path) -> None:
    path = folder / "towns.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    (found,) = refused(folder)
    assert found == (
        "towns.csv, row 1: expected UTF-8; the file is in GB18030, as Excel saves CSV; "
        "save it as 'CSV UTF-8'"
    )


def test_another_encoding(folder: Path) -> None:
    path = folder / "towns.csv"
    path.write_bytes(path.read_bytes() + "x,\u00e9\n".encode("latin-1"))
    (found,) = refused(folder)
    assert found == "towns.csv, row 6: expected UTF-8; save it as UTF-8"


def test_a_byte_order_mark_is_no_fault(folder: Path) -> None:
    path = folder / "towns.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(plan(folder).towns) == 5


def test_a_misspelt_table_is_not_passed_over(folder: Path) -> None:
    (folder / "towns.csv").rename(folder / "town.csv")
    (found,) = refused(folder)
    assert found.startswith("town.csv: no table of a plan; known: extents, structures, towns")


def test_rows_of_unequal_length(folder: Path) -> None:
    with (folder / "towns.csv").open("a", encoding="utf-8") as stream:
        stream.write("lc30-town-006,特色城镇\n")
    (found,) = refused(folder)
    assert found == "towns.csv, row 6: expected 13 cells as in the header, found 2"


def test_a_chain_of_extents_is_no_circle(folder: Path) -> None:
    found = plan(folder)
    assert found.extent("all-parts").adcodes == ("990101", "990102", "990104", "990103")


# plan.toml ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('title = "', 'titel = "', "field 'title' is missing"),
        ('title = "', 'titel = "', "unknown field 'titel'; known: counties, date"),
        ('number = ""', "number = 3", "field 'number': expected text in quotation marks, found 3"),
        ('key = "lanchuan-2030"', 'key = "x"', "key 'x' is not the folder's name 'lanchuan-2030'"),
        ('number = ""', "number =", "not TOML in UTF-8"),
    ],
)
def test_a_bad_record_is_refused(folder: Path, old: str, new: str, expected: str) -> None:
    path = folder / "plan.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(TableError) as caught:
        read_plan_record(path)
    assert any(expected in finding for finding in caught.value.findings)


def test_another_text_than_the_one_that_was_read(folder: Path) -> None:
    with (folder / "plan.txt").open("a", encoding="utf-8") as stream:
        stream.write("附则\n")
    (found,) = refused(folder)
    assert "plan.toml, field 'sha256'" in found
    assert "it is not the text that was read" in found


def test_a_file_that_the_record_names_and_the_folder_lacks(folder: Path) -> None:
    (folder / "places.csv").unlink()
    assert refused(folder) == ["plan.toml, field 'places': the folder has no file 'places.csv'"]


# Quotations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "quote", "stands"),
    [
        (1, "甲县", True),
        (1, "甲 县、乙", True),
        (2, "乙县", False),
        (1, "乙县、丙县", True),
        (1, "丙县", False),
        (2, "县、丙县", True),
        (0, "甲县", False),
        (4, "甲县", False),
        (1, "", False),
        (3, "丁", True),
    ],
)
def test_where_a_quotation_stands(line: int, quote: str, stands: bool) -> None:
    # 乙县 is broken over two lines: it begins on the first.
    assert quote_stands(["甲县、乙", "县、丙县", "丁\t1"], line, quote) is stands


def test_a_quotation_does_not_run_on_for_ever() -> None:
    assert quote_stands(list("甲乙丙丁戊己"), 1, "甲乙丙丁戊")
    assert not quote_stands(list("甲乙丙丁戊己"), 1, "甲乙丙丁戊己")


def test_a_quotation_of_another_plan_is_not_sought_here() -> None:
    rows = {"line_a": [1], "quote_a": ["甲"], "line_b": [9], "quote_b": ["乙"]}
    assert text_findings(pd.DataFrame(rows | {"plan_b": ["other"]}), ["甲"]) == []
    assert text_findings(pd.DataFrame(rows | {"plan_b": [""]}), ["甲"]) == [
        "row 1, column 'line_b': the text has 1 lines, found 9"
    ]


def test_a_text_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        text_lines(tmp_path / "plan.txt")
    (tmp_path / "plan.txt").write_bytes("规划".encode("gb18030"))
    with pytest.raises(TableError, match="not UTF-8"):
        text_lines(tmp_path / "plan.txt")
