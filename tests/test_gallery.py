"""The gallery: what it says of a figure, and that the page in docs/ has every figure."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

from urbangeo.errors import TableError
from urbangeo.maps.compose import LaidOut, laid_out
from urbangeo.maps.gallery import (
    BEYOND,
    figure_entry,
    grouped,
    ingredients,
    picture,
    picture_name,
    write_gallery,
)
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.records import FigureRecord

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
OWN_PLAN = Path(__file__).parent / "data" / "lanchuan-2030"
FIGURES = read_manifest().figures


@lru_cache(maxsize=2)
def drawn(key: str) -> tuple[Prepared, LaidOut]:
    prepared = prepare(FIGURES[key], {})
    return prepared, laid_out(prepared, page="A4")


# What a figure is made of -------------------------------------------------------------------------


def test_the_data_of_a_figure_are_counted_by_class() -> None:
    # Projects that name them in tasks.csv: 播州 20, 绥阳 19, 金沙 18; 仁怀 26, 湄潭 25, 红花岗 25,
    # 汇川 24, 桐梓 24.
    extent, tasks = ingredients(*drawn("zunyi-metro-2022/projects"))
    assert extent.zh == "范围：[遵义都市圈](../../layers/plans/zunyi-metro-2022/extents.csv)"
    assert extent.drawn == {("县（市、区）", "Counties"): 8}
    assert tasks.zh.endswith("(../../layers/plans/zunyi-metro-2022/tasks.csv) 表，按县计数")
    assert tasks.en == "Table `tasks` of the plan, counted by county"
    assert list(tasks.drawn.items()) == [
        (("18—20项", "18–20 projects"), 3),
        (("24—26项", "24–26 projects"), 5),
    ]


def test_a_figure_of_the_extent_alone_is_made_of_it() -> None:
    """33 counties, as the plan's preface counts them."""
    (only,) = ingredients(*drawn("qianzhong-2023/fig-1"))
    assert only.drawn == {("县（市、区）", "Counties"): 33}


def test_sources_of_all_kinds_are_named(tmp_path: Path) -> None:
    text = """
[[figure]]
key = "a"
extent = "qianzhong-2023/guiyang-metro"

[[figure.layer]]
name = "路"
source = "network"
year = 2022
where = { ref = "G75" }
style = "expressway"
label = ""

[[figure.layer]]
name = "园区"
source = "plan:qianzhong-2023/parks"
style = "park-national"
label = "园区"
label_en = "Park"

[[figure.layer]]
name = "项目"
source = "plan:zunyi-metro-2022/transport"
course = "network"
where = { id = "zm22-transport-060" }
style = "national"
label = "环线"

[[figure.layer]]
name = "圈"
source = "circle:area"
centres = ["安顺"]
minutes = 45
years = [2022, 2025]
field = "year"
classes = [{ value = "*", style = "zone-farm", label = "圈" }]

[[figure.layer]]
name = "机场"
source = "layer:places"
where = { kind = "airport" }
style = "airport"
label = "机场"

[[figure.layer]]
name = "矛盾"
source = "plan:*/contradictions"
where = { kind = "gap" }
style = "left-out-here"
label = "缺"

[[figure.layer]]
name = "自己的园区"
source = "plan:{own}/parks"
style = "park-national"
label = "自己的园区"

[style.left-out-here]
kind = "point"
"""
    path = tmp_path / "x.toml"
    path.write_text(text.replace("{own}", str(OWN_PLAN)), encoding="utf-8")
    prepared = prepare(read_manifest(path).figure("a"), {})
    found = ingredients(prepared, laid_out(prepared))
    assert [one.en for one in found] == [
        "Extent `qianzhong-2023/guiyang-metro`",
        "Skeleton network at the end of 2022",
        "Table `parks` of `qianzhong-2023`",
        "Table `transport` of `zunyi-metro-2022`, along the skeleton network",
        "Circles of 45 minutes; skeleton network at the end of 2022, 2025",
        "Gazetteer of seats, towns, airports, parks and sights",
        "Table `contradictions` of all plans",
        f"Table `parks` of `{OWN_PLAN}`",
    ]
    # Its tables are not beside the page.
    assert found[-1].zh == f"规划 `{OWN_PLAN}` 的 `parks` 表"
    assert list(found[1].drawn) == [("图例不列", "Not in the legend")]
    assert found[4].drawn == {("圈", "圈"): 2}


def test_a_figure_is_described_in_two_languages() -> None:
    # The sheet adds 示意 to the title, the plan does not.
    prepared, laid = drawn("qianzhong-2023/fig-12")
    entry = figure_entry(prepared, laid)
    assert laid.title == "自然保护地规划布局示意图"
    assert "### 图 12 自然保护地规划布局图\n" in entry
    assert "![图 12 自然保护地规划布局图](qianzhong-2023-fig-12.png)" in entry
    assert " · 示意 · schematic · `qianzhong-2023/fig-12`" in entry
    told, sources, _ = laid.note
    assert f"图注：{told}" in entry
    assert sources in entry
    assert "\nNote: Schematic: places and courses follow the plan's words" in entry


def test_a_circle_of_its_own_is_described() -> None:
    entry = figure_entry(*drawn("circle"))
    assert "### 贵阳市60分钟通勤圈" in entry
    assert "60分钟通勤圈，据2022年末骨架路网" in entry
    assert re.search(r"圈内城镇 \d+<br>Towns inside \d+", entry)


def test_figures_stand_under_their_plans_and_others_last() -> None:
    rows = [FigureRecord(key=key) for key in ("x/y", "qianzhong-2017/a", "qianzhong-2023/b", "z")]
    found = {key: [one.key for one in group] for key, group in grouped(rows).items()}
    assert found == {
        "qianzhong-2023": ["qianzhong-2023/b"],
        "qianzhong-2017": ["qianzhong-2017/a"],
        BEYOND: ["x/y", "z"],
    }
    assert list(found)[-1] == BEYOND


# Pictures -----------------------------------------------------------------------------------------


def test_a_picture_is_what_the_image_tests_save(tmp_path: Path) -> None:
    """A4 at 72 dots an inch, without loss, the same bytes twice."""
    figure = drawn("qianzhong-2023/fig-1")[1].figure
    packed = picture(figure)
    assert picture(figure) == packed
    figure.savefig(tmp_path / "as-tested.png", dpi=72, metadata={"Software": None})
    (tmp_path / "packed.png").write_bytes(packed)
    with (
        Image.open(io.BytesIO(packed)) as small,
        Image.open(tmp_path / "as-tested.png") as raw,
    ):
        assert small.size == raw.size == (int(297 / 25.4 * 72), int(210 / 25.4 * 72))
        assert np.array_equal(np.asarray(small), np.asarray(raw.convert("RGB")))
    packed_path, tested_path = str(tmp_path / "packed.png"), str(tmp_path / "as-tested.png")
    assert compare_images(packed_path, tested_path, tol=0) is None
    assert len(packed) <= (tmp_path / "as-tested.png").stat().st_size


# The page -----------------------------------------------------------------------------------------

OWN = '[[figure]]\nkey = "my/{0}"\ntitle = "图{0}"\nextent = "qianzhong-2023/guiyang-guian"\n'


def test_a_gallery_is_written_and_written_anew_the_same(tmp_path: Path) -> None:
    manifest = tmp_path / "mine.toml"
    manifest.write_text(OWN.format("甲") + OWN.format("乙"), encoding="utf-8")
    written = write_gallery(tmp_path / "out", manifest)
    assert [one.name for one in written] == ["my-甲.png", "my-乙.png", "README.md"]
    before = [one.read_bytes() for one in written]
    assert [one.read_bytes() for one in write_gallery(tmp_path / "out", manifest)] == before
    page = before[-1].decode()
    assert page.count("\n### ") == 2
    assert "- [图甲](#my-甲)\n- [图乙](#my-乙)\n" in page
    assert "## 规划以外 · Beyond the plans\n" in page
    manifest.write_text(OWN.format("甲") + "size = 1\n", encoding="utf-8")
    with pytest.raises(TableError, match="Unknown field 'size'"):
        write_gallery(tmp_path / "out", manifest)


def test_the_page_lists_every_figure_in_the_order_of_the_plans() -> None:
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"`([^`]+)`\n\n!\[", page)
    expected = [one.key for rows in grouped(FIGURES.values()).values() for one in rows]
    assert listed == expected
    assert f"共 {len(expected)} 幅" in page


def test_every_figure_has_its_picture_and_no_picture_is_left_over() -> None:
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page)
    assert shown == [picture_name(FIGURES[key]) for key in re.findall(r"`([^`]+)`\n\n!\[", page)]
    assert {one.name for one in GALLERY.glob("*.png")} == set(shown)


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)">', page))
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (GALLERY / target).resolve().exists(), target


@pytest.mark.parametrize("key", ["qianzhong-2023/fig-12", "zunyi-metro-2022/projects", "circle"])
def test_the_page_says_what_is_so(key: str) -> None:
    """If not: python scripts/make_gallery.py."""
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert figure_entry(*drawn(key)) in page
