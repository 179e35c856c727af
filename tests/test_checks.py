"""The check: each rule finds what was planted for it, and tells known from new."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from urbangeo.checks import COLUMNS, as_text, check, rules, run_check
from urbangeo.errors import InputError, UnknownNameError

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
PLAN_RULES = [
    name
    for name in rules()["name"]
    if name not in {"layer_loads", "coverage", "prefectures", "seats", "place_in_county"}
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the invented plan, without its text, to be changed."""
    made = Path(shutil.copytree(INVENTED, tmp_path / INVENTED.name))
    (made / "plan.txt").unlink()
    return made


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def subjects(found: pd.DataFrame, rule: str) -> list[str]:
    return [
        one.removeprefix("lanchuan-2030: ")
        for one in found.loc[(found["rule"] == rule) & (found["level"] != "info"), "subject"]
    ]


def test_rules_have_names_levels_and_titles() -> None:
    table = rules()
    assert table["name"].is_unique
    assert set(table["level"]) <= {"error", "warning", "info"}
    assert (table["title"].str.len() > 10).all()


def test_known_findings_carry_the_row_that_explains_them() -> None:
    found, status = run_check([str(INVENTED)], only=PLAN_RULES)
    assert tuple(found.columns) == COLUMNS
    told = found[found["level"] != "info"]
    assert told[["rule", "known"]].to_numpy().tolist() == [
        ["claims", "lc30-contradiction-002"],
        ["town_repeated", "lc30-contradiction-001"],
    ]
    assert "lanchuan-2030 L19" in told["cite"].iloc[0]
    assert told[["expected", "found"]].iloc[0].tolist() == [
        "4 万元",
        "3 万元 (arithmetic of 900 / 300)",
    ]
    assert status == 0


def test_every_recorded_contradiction_is_reported(folder: Path) -> None:
    found = check(folder, only="recorded")
    assert found["known"].tolist() == ["lc30-contradiction-001", "lc30-contradiction-002"]


def test_without_its_record_a_finding_is_new(folder: Path) -> None:
    (folder / "contradictions.csv").unlink()
    found, status = run_check([str(folder)], only=PLAN_RULES)
    assert set(found.loc[found["known"] == "", "rule"]) >= {"claims", "town_repeated"}
    assert status == 1


def test_a_record_of_another_line_or_other_words_explains_nothing(folder: Path) -> None:
    change(folder / "contradictions.csv", "2030年人均地区生产总值,专栏2,19", "2030年人均,专栏2,2")
    found = check(folder, only="claims")
    assert found["known"].tolist() == [""]


# rule: file, old text, new text, subject of the finding
PLANTED: dict[str, tuple[str, str, str, str]] = {
    "claims": ("claims", ",4,个,0,", ",5,个,0,", "县（区）数"),
    "town_in_gazetteer": ("towns", ",双桥,,printed", ",三桥,,printed", "双桥（云江县）"),
    "indicator_and_text": ("cities", "地区生产总值,900,", "地区生产总值,901,", "地区生产总值 2030"),
    "stage_differs": (
        "transport",
        "湖口至松林高速公路",
        "云江至白石高速公路",
        "云江至白石高速公路",
    ),
}


@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_planted_is_found(rule: str, folder: Path) -> None:
    file, old, new, subject = PLANTED[rule]
    before = subjects(check(folder, only=rule), rule)
    assert subject not in before
    change(folder / f"{file}.csv", old, new)
    found = check(folder, only=rule)
    assert subject in subjects(found, rule)
    assert run_check([str(folder)], only=[rule])[1] == 1


def copy_row(path: Path, key: str, edit: Callable[[str], str]) -> None:
    (row,) = (
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(f"{key},")
    )
    with path.open("a", encoding="utf-8") as stream:
        stream.write(edit(row) + "\n")


def test_a_zone_listed_twice(folder: Path) -> None:
    copy_row(folder / "parks.csv", "lc30-park-001", lambda row: row.replace("001", "002", 1))
    assert subjects(check(folder, only="park_repeated"), "park_repeated") == ["云江经济开发区"]


def test_a_fact_given_twice(folder: Path) -> None:
    copy_row(
        folder / "cities.csv",
        "lc30-city-002",
        lambda row: row.replace("002", "009", 1).replace(",300,", ",310,"),
    )
    found = check(folder, only="fact_twice")
    assert found["subject"].tolist() == ["澜川市 常住人口 2030"]
    assert found["found"].tolist() == ["=310 万人 (lanchuan-2030)"]


def test_a_place_in_another_county_and_a_county_without_seat(folder: Path) -> None:
    places = folder / "places.csv"
    change(places, "双桥,town,云江县,990101,100.4,", "双桥,town,云江县,990101,100.6,")
    change(places, "湖口区,county_seat", "湖口区,town")
    found = check(folder, only=["place_in_county", "seats"])
    own = found[found["subject"].str.startswith("lanchuan-2030") & (found["level"] == "error")]
    assert own["subject"].tolist() == ["lanchuan-2030: 双桥（990101）", "lanchuan-2030: 湖口区"]
    # 0.1° of longitude at 30.25° north.
    outside = own["found"].iloc[0]
    assert outside.endswith(" m outside")
    assert float(outside.split()[0]) == pytest.approx(9620, rel=0.01)


def test_gaps_overlaps_and_holes_of_a_coverage(folder: Path) -> None:
    clean = check(folder, only="coverage")
    assert clean.empty, "bundled and invented boundaries are clean"
    # 白石县 reaches a hundredth of a degree into 湖口区.
    path = folder / "counties.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    for feature in content["features"]:
        if feature["properties"]["adcode"] == "990102":
            ring = feature["geometry"]["coordinates"][0]
            feature["geometry"]["coordinates"][0] = [
                [101.01 if x == 101 else x, y] for x, y in ring
            ]
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    found = check(folder, only="coverage")
    assert {"lanchuan-2030: 白石县", "lanchuan-2030: 湖口区"} <= set(found["subject"])


def test_a_hole_in_a_coverage(folder: Path) -> None:
    path = folder / "counties.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    for feature in content["features"]:
        if feature["properties"]["adcode"] == "990104":
            feature["geometry"]["coordinates"].append(
                [[100.4, 30.6], [100.4, 30.7], [100.5, 30.7], [100.5, 30.6], [100.4, 30.6]]
            )
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    (hole,) = check(folder, only="coverage")["found"]
    # 9.58 by 11.08 km.
    assert hole.startswith("a hole of 106.")
    assert hole.endswith("at 100.4500, 30.6500")


def test_a_refused_plan_is_a_finding_and_the_others_are_still_checked(folder: Path) -> None:
    change(folder / "towns.csv", "990104", "990199")
    found, status = run_check(["qianzhong-2023", str(folder)], only=["plan_reads", "recorded"])
    assert status == 1
    broken = found[found["rule"] == "plan_reads"]
    assert len(broken) == 2
    assert broken["found"].str.contains("towns.csv, row 4, column 'adcode'").any()
    assert (found["rule"] == "recorded").sum() > 10


def test_plans_against_each_other(folder: Path) -> None:
    other = folder.rename(folder.with_name("lanchuan-2025"))
    change(other / "plan.toml", "lanchuan-2030", "lanchuan-2025")
    change(other / "cities.csv", ",300,万人", ",280,万人")
    lines = (other / "extents.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "lc30-extent-004" not in line]
    (other / "extents.csv").write_text("".join(kept), encoding="utf-8")
    found = check(
        [INVENTED, other], only=["extents_between_plans", "fact_between_plans", "fact_twice"]
    )
    assert found[["level", "rule", "subject"]].to_numpy().tolist() == [
        ["warning", "extents_between_plans", "澜川市: 湖口区"],
        ["warning", "fact_between_plans", "澜川市 常住人口 2030"],
    ]
    assert found["found"].tolist() == [
        "no member in lanchuan-2025",
        "=280 万人 (lanchuan-2025)",
    ]


def test_quotations_are_proved_where_the_text_is_at_hand(folder: Path) -> None:
    shutil.copy(INVENTED / "plan.txt", folder.parent)
    assert check(folder, only="quotations", texts=folder.parent).empty
    change(folder / "towns.csv", "青渡、高坪", "青渡、低坪")
    (found,) = check(folder, only="quotations", texts=folder.parent)["found"]
    assert "row 5, column 'quote'" in found
    assert check(folder, only="quotations").empty


def test_two_metropolitan_counties_lie_outside_the_cluster() -> None:
    found = check(["qianzhong-2023", "zunyi-metro-2022"], only="beyond_the_widest")
    metro = found[found["subject"] == "zunyi-metro-2022: 遵义都市圈"]
    assert metro["found"].tolist() == ["outside: 桐梓县、湄潭县"]
    assert metro["level"].tolist() == ["info"]


def test_layers_and_gazetteer_are_sound() -> None:
    only = ["layer_loads", "codes", "prefectures", "seats", "place_in_county", "place_county_name"]
    found, status = run_check(only=only)
    assert found[found["level"] != "info"].to_dict("records") == []
    assert status == 0


def test_misuse_is_told() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean claims"):
        check(only="claim")
    with pytest.raises(UnknownNameError, match="Did you mean qianzhong-2023"):
        check("qianzhong-2022")
    with pytest.raises(InputError, match="folder of texts"):
        check(INVENTED, texts="nowhere")
    with pytest.raises(InputError, match="csv or json"):
        as_text(rules(), "xml")


def test_findings_for_machines() -> None:
    found = check(INVENTED, only="claims")
    (row,) = json.loads(as_text(found, "json"))
    assert list(row) == list(COLUMNS)
    assert row["known"] == "lc30-contradiction-002"
    assert as_text(found).startswith("level,rule,subject,expected,found,known,cite\n")


def test_the_bundled_plans_hold_known_findings_only() -> None:
    found = check()
    told = found[found["level"] != "info"]
    assert (told["known"] != "").sum() > 10, "the known ones are reported"
    new = told[told["known"] == ""]
    assert new[["rule", "subject"]].to_dict("records") == []


@pytest.mark.parametrize(
    ("words", "contradiction"),
    [
        # What the plan states at one place and computes to at another.
        ("6.48 万元", "qz23-contradiction-001"),
        ("57.93 %", "qz23-contradiction-003"),
        ("5000 亿元", "zm22-contradiction-012"),
    ],
)
def test_contradictions_of_the_bundled_plans_are_found_by_computing(
    words: str, contradiction: str
) -> None:
    found = check(["qianzhong-2023", "zunyi-metro-2022"], only="claims").set_index("expected")
    assert found.loc[words, "known"] == contradiction
