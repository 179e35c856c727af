"""What two plans share, and what each has alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from urbangeo.errors import UnknownNameError
from urbangeo.plancomparison import comparable, compare_plans

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The invented plan, five years on."""
    folder = Path(shutil.copytree(INVENTED, tmp_path / INVENTED.name))
    for name, old, new in (
        ("indicators", ",900,", ",950,"),
        ("parks", "云江经济开发区,,云江县", "云江经济开发区（扩区）,,云江县"),
        ("towns", "高坪,松林县", "低坪,松林县"),
        ("transport", "开工,开工", "已建成,建成"),
        ("extents", ",湖口新区,", ",云江新区,"),
    ):
        path = folder / f"{name}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    record = folder / "plan.toml"
    record.write_text(record.read_text("utf-8").replace('"plan.txt"', '"later.txt"'), "utf-8")
    (folder / "plan.txt").unlink()
    return folder


def test_what_changed(later: Path) -> None:
    found = compare_plans(INVENTED, later)
    changed = found[found["change"] != "same"]
    assert set(changed[["table", "subject", "change"]].itertuples(index=False, name=None)) == {
        ("indicators", "地区生产总值", "differs"),
        ("towns", "高坪（松林县）", "only_a"),
        ("towns", "低坪（松林县）", "only_b"),
        ("transport", "湖口至松林高速公路", "differs"),
        ("extents", "核心区：湖口新区", "only_a"),
        ("extents", "核心区：云江新区", "only_b"),
    }
    assert found.attrs["plans"] == ("lanchuan-2030", "lanchuan-2030")


def test_both_sides_are_told_and_cited(later: Path) -> None:
    found = compare_plans(INVENTED, later, "transport")
    row = found[found["change"] == "differs"].iloc[0]
    assert (row["a"], row["b"]) == ("开工 开工", "已建成 建成")
    assert (row["line_a"], row["line_b"]) == (15, 15)
    alone = compare_plans(INVENTED, later, "towns").set_index("change").loc["only_b"]
    assert (alone["a"], alone["cite_a"], alone["cite_b"]) == ("", "", "专栏1")


def test_a_plan_is_the_same_as_itself() -> None:
    found = compare_plans(INVENTED, INVENTED)
    assert set(found["change"]) == {"same"}
    # 青渡 is printed twice in one county and once in another: two things.
    assert (found["table"] == "towns").sum() == 4


def test_members_that_two_definitions_do_not_share() -> None:
    found = compare_plans("guizhou-urbanization-2022", "zunyi-metro-2022", ["extents"])
    found = found[found["subject"].str.startswith("遵义都市圈：")]
    assert len(found) == 9
    alone = found[found["change"].str.startswith("only")]
    assert alone[["subject", "change"]].to_numpy().tolist() == [["遵义都市圈：新蒲新区", "only_b"]]


def test_tables_that_cannot_be_compared() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean towns"):
        compare_plans(INVENTED, INVENTED, "town")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("贵阳—南宁高铁", "贵阳至南宁高铁", True),
        ("地区生产总值（亿元）", "地区生产总值", True),
        ("“外环”高速", "外环高速", True),
        ("修文经济开发区", "息烽经济开发区", False),
    ],
)
def test_names_that_mean_the_same(one: str, other: str, same: bool) -> None:
    assert (comparable(one) == comparable(other)) is same
