"""Where rows come from: the catalogue, extents, files, rivers; and sources that cannot be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from urbangeo.errors import CRSError, InputError, UnknownNameError
from urbangeo.maps import rivers as river_module
from urbangeo.maps.fetched import Fetched
from urbangeo.maps.records import FigureRecord, LayerRecord
from urbangeo.maps.sources import fetch, source_problems

ZUNYI = "zunyi-metro-2022/zunyi-metro"


def fetched(source: str, folder: Path = Path(), **record: Any) -> Fetched:
    figure = FigureRecord(key="a", file=folder / "x.toml", plan="qianzhong-2023")
    layer = LayerRecord(**{"name": "某层", "source": source, **record})
    return fetch(layer, figure, {})


# The catalogue and extents ------------------------------------------------------------------------


def test_a_layer_of_the_catalogue_with_what_it_asks_to_be_said() -> None:
    found = fetched("layer:counties", within=ZUNYI)
    assert len(found.frame) == 8
    assert not found.schematic
    (words,) = found.attributions
    assert words.endswith(found.frame.attrs["provenance"]["attribution"])
    assert fetched("layer:counties", within=ZUNYI, where={"name": ("*县",)}).total == 4


def test_an_extent_is_one_area_and_its_members_are_its_counties() -> None:
    """Eight counties; 新蒲新区 is none. 红花岗区, 汇川区 and 播州区 are the core."""
    whole = fetched(f"extent:{ZUNYI}")
    assert (whole.total, list(whole.frame["name"])) == (1, ["遵义都市圈"])
    members = fetched(f"members:{ZUNYI}")
    assert members.total == 8
    area = members.frame["area_km2"].sum()
    assert whole.frame["area_km2"].iloc[0] == pytest.approx(area)
    core = fetched(f"members:{ZUNYI}", where={"role": ("core",)})
    assert set(core.frame["name"]) == {"红花岗区", "汇川区", "播州区"}
    assert whole.attributions == members.attributions != ()


def test_a_plan_is_the_figures_unless_it_is_named() -> None:
    own, other = fetched("plan:parks"), fetched("plan:qianzhong-2017/parks", optional=True)
    assert "高质量" in own.sources[0]
    assert "高质量" not in "".join(other.sources)


def test_no_row_is_an_error_that_names_the_filter() -> None:
    words = (
        r"x\.toml, a, 某层: no row is left of 'layer:counties' after where = "
        r"\{'name': \('无此县',\)\}\. Correct the filter, or set optional = true\."
    )
    with pytest.raises(InputError, match=words):
        fetched("layer:counties", where={"name": ("无此县",)})
    assert fetched("layer:counties", where={"name": ("无此县",)}, optional=True).total == 0
    with pytest.raises(UnknownNameError, match=r"field of 'layer:counties' 'nam'\. Did you mean"):
        fetched("layer:counties", where={"nam": ("无此县",)})


# Files --------------------------------------------------------------------------------------------


def points() -> gpd.GeoDataFrame:
    rows = {"name": ["甲", "乙"], "level": ["一", "二"]}
    return gpd.GeoDataFrame(rows, geometry=[Point(106.7, 26.6), Point(107, 27.7)], crs=4326)


def test_a_file_stands_beside_the_manifest(tmp_path: Path) -> None:
    points().to_crs(32648).to_file(tmp_path / "own.gpkg")
    found = fetched("file:own.gpkg", tmp_path)
    assert found.frame.crs.to_epsg() == 4326
    assert found.frame.geometry.x.to_list() == pytest.approx([106.7, 107], abs=1e-7)
    assert found.sources == ("own.gpkg",)
    assert not found.schematic
    assert fetched("file:own.gpkg", tmp_path, where={"level": ("二",)}).total == 1


def test_a_file_without_a_crs_is_refused(tmp_path: Path) -> None:
    points().to_crs(32648).to_file(tmp_path / "own.shp", encoding="utf-8")
    (tmp_path / "own.prj").unlink()
    with pytest.raises(CRSError, match=r"own\.shp.* has no coordinate reference system"):
        fetched("file:own.shp", tmp_path)


def test_a_file_that_has_gone_or_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"file gone\.gpkg.*does not exist"):
        fetched("file:gone.gpkg", tmp_path)
    (tmp_path / "no.gpkg").write_text("not a GeoPackage")
    with pytest.raises(InputError, match=r"no\.gpkg"):
        fetched("file:no.gpkg", tmp_path)


# Rivers -------------------------------------------------------------------------------------------


def test_rivers_that_are_not_installed_are_told_where_they_are_optional(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(river_module, "find_spec", lambda name: None)
    river_module._all_rivers.cache_clear()
    found = fetched("rivers", optional=True)
    assert (found.total, len(found.frame)) == (0, 0)
    assert [note.zh for note in found.notes] == ["未装河流数据，河流未绘。"]
    assert [note.en for note in found.notes] == ["No rivers: their data are not installed. "]
    with pytest.raises(InputError, match=r"pip install"):
        fetched("rivers")
    monkeypatch.undo()
    river_module._all_rivers.cache_clear()


def test_rivers_are_those_about_the_province(monkeypatch: pytest.MonkeyPatch) -> None:
    """The province reaches from 103.6 to 109.6° E, from 24.6 to 29.2° N: two degrees more."""
    asked = []

    def stand_in(bounds: tuple[float, ...]) -> gpd.GeoDataFrame:
        asked.append(bounds)
        rows = {"name": ["甲江", "乙河"], "rank": [1, 4]}
        return gpd.GeoDataFrame(rows, geometry=[box(106, 26, 107, 27)] * 2, crs=4326)

    monkeypatch.setattr(river_module, "rivers", stand_in)
    found = fetched("rivers", where={"rank": ("1",)})
    assert found.frame["name"].to_list() == ["甲江"]
    assert found.attributions == (river_module.ATTRIBUTION,)
    assert asked[0] == pytest.approx((101.6, 22.6, 111.6, 31.2), abs=0.1)


# What is wrong before anything is read ------------------------------------------------------------


def problems(source: str, plan: str = "qianzhong-2023", **values: Any) -> list[str]:
    return source_problems({"source": source, **values}, {"plan": plan}, Path("x.toml"))


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("plan:parks", {"where": {"level": ("国家级",)}, "field": "level"}),
        ("plan:structures", {"field": "{kind} {role}", "group": "structure", "sort": "along"}),
        ("plan:towns", {"field": "geometry_from", "place": "county"}),
        ("plan:tasks", {"count": "county", "field": "count", "where": {"kind": ("project",)}}),
        ("plan:transport", {"course": "network"}),
        ("plan:*/contradictions", {"field": "plan"}),
        ("plan:projects", {"field": "table"}),
        ("layer:counties", {}),
        (f"extent:{ZUNYI}", {}),
        (f"members:{ZUNYI}", {}),
        ("network", {}),
        ("circle:towns", {"centres": ("贵阳",)}),
        ("circle:missing", {"centres": ("贵阳",), "within": ZUNYI}),
        ("rivers", {}),
    ],
)
def test_nothing_is_wrong(source: str, values: dict[str, Any]) -> None:
    assert problems(source, **values) == []


@pytest.mark.parametrize(
    ("source", "values", "words"),
    [
        ("", {}, "field 'source' is missing"),
        ("moon", {}, "Unknown source 'moon'"),
        ("circles", {"centres": ("贵阳",)}, "Unknown source 'circles'. Did you mean circle"),
        ("circle:towns", {}, "a circle needs the field 'centres'"),
        ("circle:missing", {"centres": ("贵阳",)}, "needs the field 'within', an extent"),
        ("layer:county", {}, "Unknown layer 'county'. Did you mean counties"),
        ("extent:nowhere", {}, "Unknown extent 'nowhere'"),
        ("members:zunyi-metro-2022/nowhere", {}, "Unknown extent"),
        ("file:none.gpkg", {}, "there is no file none.gpkg"),
        ("plan:park", {}, "Unknown table of a plan 'park'. Did you mean parks"),
        ("plan:qianzhong/parks", {}, "Unknown plan 'qianzhong'"),
        ("plan:parks", {"where_not": {"levl": ("x",)}}, "Unknown field 'levl'. Did you mean level"),
        ("plan:parks", {"field": "{name} {levl}"}, "Unknown field 'levl'"),
        ("plan:parks", {"field": "plan"}, "Unknown field 'plan'"),
        ("plan:parks", {"course": "network"}, "course is for a plan's table of transport"),
        ("plan:tasks", {"count": "county", "field": "kind"}, "Unknown field 'kind'"),
        ("layer:counties", {"count": "county"}, "count is for the tables of plans"),
        ("network", {"course": "network"}, "course is for the tables of plans; source is 'network"),
    ],
)
def test_what_is_wrong_is_named(source: str, values: dict[str, Any], words: str) -> None:
    (found,) = problems(source, **values)
    assert words in found


def test_a_table_without_a_plan() -> None:
    (found,) = problems("plan:parks", plan="")
    assert found == (
        "source is 'plan:parks', and the figure names no plan; give plan:<plan>/<table>"
    )
