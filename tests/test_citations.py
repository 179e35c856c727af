"""Every row of every plan stands where it says: its words on its line, its name in its words.

The texts are no part of the project; without them these tests are skipped, but for those on the
invented region, whose text lies beside its tables.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from urbangeo.claims import arithmetic
from urbangeo.names import normalise, stem
from urbangeo.plans import Plan, plan, plans
from urbangeo.plantables import text_findings, text_lines

TEXTS = Path(__file__).parents[2] / "shared" / "plans"
INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
KEYS = list(plans()["key"])
# In these the quotation, not a name, is the statement.
NAMELESS = {"contradictions", "claims"}


def text_of(one: Plan) -> list[str]:
    path = TEXTS / one.record.text
    if not path.is_file():
        pytest.skip(f"the plan's text {one.record.text} is not in ../shared/plans")
    return text_lines(path)


@cache
def flat(text: str) -> str:
    """Give a text without white space, punctuation and signs."""
    kept = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\W_]", "", kept)


def follows(name: str, row: dict[str, Any], line: str, one: Plan) -> bool:
    """Tell whether a row's name follows from its words.

    It is in them; or is made of their characters (息烽…工程 from a list that begins with 息烽);
    or it is what the plan or the quoted paragraph is about; or a note says how it was read.
    """
    words = flat(row["quote"])
    forms = {flat(name), flat(stem(name)), flat(stem(name, "town"))}
    prefectures = dict(zip(one.county_layer["adcode"], one.county_layer["prefecture"], strict=True))
    return (
        any(form in words for form in forms)
        or set(flat(name)) <= set(words)
        or normalise(name) in normalise(one.record.title)
        or any(form in flat(line) for form in forms)
        # 贵阳市 printed whole stands for its ten units.
        or stem(prefectures.get(row.get("adcode"), "?")) in words
        or bool(row["note"])
    )


def names_of(table: str, row: dict[str, Any], one: Plan) -> str:
    if row.get("role") == "extent" and table == "extents":
        return one.extent(row["name"]).title
    if table == "structures":
        return str(row["node"] or row["title"])
    return str(row["title"] if table == "tasks" else row["name"])


def unfounded(one: Plan, lines: list[str]) -> list[str]:
    """Give the rows whose name does not follow from their words."""
    found: list[str] = []
    for table in set(one.tables_held()) - NAMELESS:
        for row in one.table(table).to_dict("records"):
            name = names_of(table, row, one)
            if not follows(name, row, lines[int(row["line"]) - 1], one):
                found.append(f"{row['id']}: {name!r} from {row['quote']!r}")
    return sorted(found)


@pytest.mark.parametrize("key", KEYS)
def test_every_quotation_of_a_plan_stands_on_its_line(key: str) -> None:
    one = plan(key)
    lines = text_of(one)
    held = one.tables_held()
    assert "structures" in held, "the tables were found"
    found = [
        f"{table}: {finding}"
        for table in held
        for finding in text_findings(one.table(table), lines)
    ]
    assert found == []


@pytest.mark.parametrize("key", KEYS)
def test_every_name_of_a_plan_follows_from_its_words(key: str) -> None:
    one = plan(key)
    found = unfounded(one, text_of(one))
    assert found == []


@pytest.mark.parametrize("key", KEYS)
def test_the_text_is_the_one_that_was_read(key: str) -> None:
    one = plan(key)
    text_of(one)
    digest = hashlib.sha256((TEXTS / one.record.text).read_bytes()).hexdigest()
    assert digest == one.record.sha256


@pytest.mark.parametrize("key", KEYS)
def test_contradictions_between_plans_quote_both(key: str) -> None:
    one = plan(key)
    text_of(one)
    rows = pd.DataFrame(one.contradictions)
    for row in rows[rows["plan_b"] != ""].to_dict("records"):
        other = plan(row["plan_b"])
        lines = text_of(other)
        if pd.isna(row["line_b"]):
            continue
        quoted = pd.DataFrame([{"line": row["line_b"], "quote": row["quote_b"]}])
        assert text_findings(quoted, lines) == [], row["id"]


@pytest.mark.parametrize("key", KEYS)
def test_numbers_of_a_claim_are_printed_in_the_plan(key: str) -> None:
    one = plan(key)
    whole = "".join(text_of(one))
    for row in one.claims.to_dict("records"):
        assert f"{row['stated']:g}" in row["quote"].replace(" ", ""), row["id"]
        if row["measure"] == "arithmetic":
            arithmetic(row["of"])
            # 100 turns a share into per cent.
            for number in set(re.findall(r"[0-9.]+", row["of"])) - {"100"}:
                assert number in whole, f"{row['id']}: {number}"


# That these tests can fail -----------------------------------------------------------------------


def test_a_planted_wrong_line_is_caught() -> None:
    one = plan(INVENTED)
    lines = text_lines(INVENTED / "plan.txt")
    towns = pd.DataFrame(one.towns)
    assert text_findings(towns, lines) == []
    towns.loc[1, "line"] += 1
    (finding,) = text_findings(towns, lines)
    assert finding.startswith("row 2, column 'quote': '双桥、青渡' does not stand on line 12")


def test_a_planted_wrong_word_and_a_line_beyond_the_text_are_caught() -> None:
    one = plan(INVENTED)
    lines = text_lines(INVENTED / "plan.txt")
    towns = pd.DataFrame(one.towns)
    towns.loc[0, "quote"] = "云江县：青波"
    towns.loc[3, "line"] = 999
    first, second = text_findings(towns, lines)
    assert "row 1, column 'quote'" in first
    assert second == f"row 4, column 'line': the text has {len(lines)} lines, found 999"


def test_a_planted_wrong_name_is_caught() -> None:
    one = plan(INVENTED)
    lines = text_lines(INVENTED / "plan.txt")
    assert unfounded(one, lines) == []
    row = one.parks.to_dict("records")[0]
    line = lines[int(row["line"]) - 1]
    assert follows(row["name"], row, line, one)
    assert not follows("望江经济开发区", row, line, one)


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_line_planted_in_a_plan_is_caught(key: str) -> None:
    one = plan(key)
    lines = text_of(one)
    table = pd.DataFrame(one.structures).head(3)
    # The first line of a text is its title.
    table.loc[1, "line"] = 1
    assert [one for one in text_findings(table, lines) if one.startswith("row 2")]
