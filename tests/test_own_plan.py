"""A figure of a plan of one's own: a folder beside the manifest, with boundaries of its own.

The plan of `data/lanchuan-2030` and its region are invented; see `docs/writing-a-plan.md`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from urbangeo.errors import InputError, TableError
from urbangeo.maps.atlas import draw
from urbangeo.maps.style import missing_glyphs, visible_texts
from urbangeo.plans import plan

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"

MANIFEST = """
[[figure]]
key = "lanchuan/parks"
plan = "lanchuan-2030"
extent = "lanchuan-2030/lanchuan"
title = "园区布局图"
county_names = "members"
view = "extent"

[[figure.layer]]
name = "发展轴"
source = "plan:structures"
where = { kind = "axis" }
shape = "curve"
style = "axis"
label = "发展轴"
names = { field = "title" }

[[figure.layer]]
name = "城镇"
source = "plan:towns"
where_not = { repeat_of = "*?" }
style = "town"
label = "特色城镇"
names = true

[[figure.layer]]
name = "园区"
source = "plan:lanchuan-2030/parks"
style = "park-provincial"
label = "园区"
names = true
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(INVENTED, folder / "lanchuan-2030")
    path = folder / "figures.toml"
    path.write_text(MANIFEST, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def boundaries(manifest: Path) -> dict[str, Any]:
    own = plan(manifest.parent / "lanchuan-2030")
    cities = own.county_layer.dissolve("prefecture").reset_index()
    cities = cities.drop(columns="name").rename(columns={"prefecture": "name"})
    return {
        "counties": own.county_layer,
        "prefectures": cities,
        "province": cities,
        "surroundings": None,
    }


@pytest.fixture(scope="module")
def figure(manifest: Path) -> Figure:
    return draw("lanchuan/parks", manifest=manifest)


def words(figure: Figure, gid: str) -> list[str]:
    return [
        one.get_text() for one in visible_texts(figure) if str(one.get_gid() or "").startswith(gid)
    ]


def test_its_tables_are_drawn(figure: Figure) -> None:
    assert words(figure, "heading") == ["澜川市城镇发展规划"]
    # The only prefecture's boundary is the province's.
    assert words(figure, "legend_entry") == [
        *("省域边界", "规划范围边界", "县域边界"),
        *("发展轴", "特色城镇", "园区"),
    ]
    named = {text.replace("\n", "") for text in words(figure, "label:")}
    assert {"云江县", "白石县", "湖口区", "松林县", "云江经济开发区"} <= named
    # 青渡 of two counties; 高坪 is in no gazetteer and stands somewhere in its county.
    assert {"青渡", "双桥", "高坪"} <= named
    assert missing_glyphs(figure) == {}


def test_the_note_cites_it(figure: Figure) -> None:
    note = "".join(words(figure, "note")).replace("\n", "")
    assert "资料来源：《澜川市城镇发展规划》（澜川市人民政府，2025-01）前言、第一章、专栏1" in note
    assert note.startswith("示意：")


def test_boundaries_that_are_given_come_first(
    manifest: Path, boundaries: dict[str, Any], figure: Figure
) -> None:
    given = draw("lanchuan/parks", manifest=manifest, **boundaries)
    for gid in ("legend_entry", "label:", "note"):
        assert words(given, gid) == words(figure, gid)
    only = boundaries["counties"].iloc[:3]
    missing = r"The boundaries of 1 member\(s\) of '澜川市' are missing from counties: 990104"
    with pytest.raises(InputError, match=missing):
        draw("lanchuan/parks", manifest=manifest, **{**boundaries, "counties": only})


def test_the_whole_region_without_an_extent(manifest: Path) -> None:
    path = manifest.with_name("whole.toml")
    text = MANIFEST.replace('extent = "lanchuan-2030/lanchuan"\n', "").replace("extent", "province")
    path.write_text(text, encoding="utf-8")
    figure = draw("lanchuan/parks", manifest=path)
    assert words(figure, "legend_entry")[:2] == ["省域边界", "县域边界"]


def test_its_own_counties_may_be_enlarged(manifest: Path) -> None:
    path = manifest.with_name("inset.toml")
    asked = MANIFEST.replace('view = "extent"', 'view = "extent"\ninset = ["云江县"]')
    path.write_text(asked, encoding="utf-8")
    assert words(draw("lanchuan/parks", manifest=path), "title") == ["园区布局图"]
    path.write_text(asked.replace('["云江县"]', '["白云区"]'), encoding="utf-8")
    with pytest.raises(TableError, match="Unknown county '白云区'"):
        draw("lanchuan/parks", manifest=path)


def test_its_rows_are_counted_by_its_own_prefectures(manifest: Path) -> None:
    path = manifest.with_name("count.toml")
    head = MANIFEST.partition("[[figure.layer]]")[0]
    counted = 'source = "plan:towns"\ncount = "prefecture"\nstyle = "class-3"\nlabel = "镇"\n'
    counted += 'names = { field = "{name} {count}" }\n'
    path.write_text(f'{head}[[figure.layer]]\nname = "镇"\n{counted}', encoding="utf-8")
    rows = plan(INVENTED).towns
    named = int((rows["adcodes"] if "adcodes" in rows else rows["adcode"]).ne("").sum())
    labels = words(draw("lanchuan/parks", manifest=path), "label:")
    assert f"澜川市 {named}" in labels


def test_a_folder_that_is_not_there_is_named(manifest: Path, boundaries: dict[str, Any]) -> None:
    other = manifest.with_name("gone.toml")
    other.write_text(MANIFEST.replace("lanchuan-2030", "lanchuan-2031"), encoding="utf-8")
    with pytest.raises(TableError, match=r"Unknown plan 'lanchuan-2031'(?s:.*)Unknown extent"):
        draw("lanchuan/parks", manifest=other, **boundaries)
