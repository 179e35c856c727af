"""A figure's data: prepared once, for any paper, language and number of maps.

The province of `minimap` is invented: 24 cells of half a degree from 10° E, 46° N, six wide and
four high; the extent is the two middle rows.
"""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import minimap
import pytest
from shapely.geometry import Point, box

from urbangeo.crs import equal_area
from urbangeo.errors import CRSError, InputError
from urbangeo.maps.circlelayer import CircleLayer
from urbangeo.maps.compose import lay_out
from urbangeo.maps.layers import StyledLayer
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.records import ClassRecord, FigureRecord, LayerRecord, MapRecord
from urbangeo.maps.style import visible_texts
from urbangeo.maps.symbols import named_style

SIGN = (ClassRecord(label="某处", style=named_style("park-national")),)
GIVEN = {**minimap.layers(), "extent": minimap.extent()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of two points, one in the extent and one in the province's corner."""
    folder = tmp_path_factory.mktemp("prepare")
    rows = {"name": ["中", "角"], "kind": ["一", "二"]}
    points = gpd.GeoDataFrame(rows, geometry=[Point(11.5, 47), Point(10.1, 46.1)], crs=4326)
    points.to_file(folder / "points.gpkg")
    return folder


def spots(**record: Any) -> LayerRecord:
    return LayerRecord(**{"name": "点", "source": "file:points.gpkg", "classes": SIGN, **record})


def figure(folder: Path, *layers: LayerRecord, **record: Any) -> FigureRecord:
    return FigureRecord(**{"key": "a", "file": folder / "x.toml", "layers": layers, **record})


def prepared(folder: Path, *layers: LayerRecord, **record: Any) -> Prepared:
    return prepare(figure(folder, *layers, **record), GIVEN)


# Projection and what the page shows ---------------------------------------------------------------


def test_all_is_in_the_equal_area_projection_of_the_members(folder: Path) -> None:
    """The extent's middle is 11.5° E, 47° N; halves are rounded to even degrees."""
    found = prepared(folder, spots())
    assert found.crs == equal_area((12, 47, 12, 47))
    (part,) = found.parts
    (layer,) = part.layers
    assert isinstance(layer, StyledLayer)
    assert len(layer.pieces) == 2
    assert part.ground.members.crs == part.ground.counties.crs == found.crs


def test_what_fills_the_page(folder: Path) -> None:
    """The province is two degrees high, the extent one; a degree of latitude is 111.2 km here."""
    (part,) = prepared(folder, spots()).parts
    heights = {}
    for view in ("province", "extent", "layers"):
        _, south, _, north = part.bounds(view)
        heights[view] = (north - south) / 111_200
    assert heights["province"] == pytest.approx(2, rel=0.01)
    assert heights["extent"] == pytest.approx(1, rel=0.02)
    assert heights["layers"] == pytest.approx(0.9, rel=0.02)


def test_a_map_shows_the_extent_even_beyond_the_province(folder: Path) -> None:
    inputs = {**GIVEN, "province": minimap.province().set_geometry([box(10, 46, 11, 48)])}
    (part,) = prepare(figure(folder), inputs).parts
    west, _, east, _ = part.bounds("province")
    whole, *_ = prepared(folder).parts
    assert (west, east) == pytest.approx(
        (whole.bounds("extent")[0], whole.bounds("extent")[2]), rel=0.01
    )


def test_without_an_extent_a_map_is_about_the_whole_province(folder: Path) -> None:
    inputs = {**minimap.layers(), "extent": None}
    found = prepare(figure(folder), inputs)
    (part,) = found.parts
    assert part.extent is None
    assert part.ground.whole
    assert len(part.ground.members) == len(minimap.counties())
    assert found.extents == []


def test_an_extent_without_members_or_with_unknown_ones(folder: Path) -> None:
    for codes, words in (((), "has no member"), (("000000",), "missing from counties: 000000")):
        given = {**GIVEN, "extent": SimpleNamespace(title="某群", adcodes=codes)}
        with pytest.raises(InputError, match=words):
            prepare(figure(folder), given)


def test_a_table_without_a_crs_is_named(folder: Path) -> None:
    lost = minimap.counties().set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="counties"):
        prepare(figure(folder), {**GIVEN, "counties": lost})


# Layers and maps ----------------------------------------------------------------------------------

BESIDE = (MapRecord(title="甲"), MapRecord(title="乙", title_en="B"))


def test_a_layer_is_made_once_for_all_maps(folder: Path) -> None:
    found = prepared(folder, spots(), spots(name="另", maps=("乙",)), maps=BESIDE)
    left, right = found.parts
    assert [(part.title, part.title_en) for part in found.parts] == [("甲", ""), ("乙", "B")]
    assert [layer.record.name for layer in left.layers] == ["点"]  # type: ignore[union-attr]
    assert [layer.record.name for layer in right.layers] == ["点", "另"]  # type: ignore[union-attr]
    assert left.layers[0] is right.layers[0]
    assert len(found.layers) == 2
    # One extent on both maps is one source.
    assert len(found.extents) == 1


def test_maps_of_two_extents_share_their_projection() -> None:
    """Between the westernmost and the easternmost county of both."""
    maps = (
        MapRecord(title="黔中", extent="qianzhong-2023/qianzhong"),
        MapRecord(title="遵义", extent="zunyi-metro-2022/zunyi-metro"),
    )
    found = prepare(FigureRecord(key="a", maps=maps), {})
    assert [len(part.ground.members) for part in found.parts] == [33, 8]
    assert [one.plan for one in found.extents] == ["qianzhong-2023", "zunyi-metro-2022"]
    assert {part.ground.counties.crs for part in found.parts} == {found.crs}


def test_layers_of_one_name_lay_their_signs_out_together(folder: Path) -> None:
    """On each map those that stand on it."""
    layers = (
        spots(together="组"),
        spots(name="另", together="组"),
        spots(name="三", together="他组"),
        spots(name="四"),
    )
    one, other, third, fourth = prepared(folder, *layers).layers
    assert isinstance(fourth, StyledLayer)
    assert one.fellows == other.fellows == [one, other]  # type: ignore[union-attr]
    assert third.fellows == [third]  # type: ignore[union-attr]
    assert fourth.fellows == []


def test_a_circle_is_about_itself(folder: Path) -> None:
    circle = LayerRecord(name="圈", source="circle")
    given = {
        "circle": minimap.circle(),
        "counties": minimap.counties(),
        "province": minimap.province(),
    }
    found = prepare(figure(folder, circle), given)
    assert isinstance(found.circle, CircleLayer)
    assert found.circles == [found.circle]
    assert found.schematic
    (part,) = found.parts
    assert not part.ground.has_extent
    # Its outermost band is 1.2 degrees high; a little more is shown.
    _, south, _, north = part.bounds("province")
    assert 1.2 < (north - south) / 111_200 < 1.3


def test_a_circle_within_an_extent_is_a_layer_of_it(folder: Path) -> None:
    circle = LayerRecord(name="圈", source="circle")
    found = prepare(figure(folder, circle), {**GIVEN, "circle": minimap.circle()})
    assert found.circle is None
    assert len(found.circles) == 1


def test_what_is_called_schematic(folder: Path) -> None:
    assert not prepared(folder, spots()).schematic
    assert prepared(folder, spots(), schematic=True).schematic
    towns = spots(source="circle:towns")
    given = {**GIVEN, "circle": minimap.circle()}
    assert prepare(figure(folder, towns), given).schematic


# Once for all papers ------------------------------------------------------------------------------


def state(found: Prepared) -> bytes:
    """All that a figure is made of, as bytes, but for places of signs, which depend on scale."""
    parts = [
        (
            part.title,
            part.ground.outline.wkb,
            part.ground.counties.to_wkb().to_csv(),
            [
                (piece.key, piece.name, piece.geometry.wkb, dict(piece.cells))
                for layer in part.layers
                if isinstance(layer, StyledLayer)
                for piece in layer.pieces
            ],
        )
        for part in found.parts
    ]
    return pickle.dumps((found.figure, found.crs.to_wkt(), parts))


def words(found: Prepared, **options: Any) -> list[tuple[str, str, float, float]]:
    drawn = lay_out(found, **options)
    return [
        (str(one.get_gid()), one.get_text(), *one.get_position()) for one in visible_texts(drawn)
    ]


def test_a_figure_is_prepared_once_and_laid_out_on_any_paper(folder: Path) -> None:
    found = prepared(folder, spots())
    before = state(found)
    first = words(found, page="A4")
    large = words(found, page="A3", lang="en", graticule=True)
    assert state(found) == before
    # What was laid out in between changes nothing.
    assert words(found, page="A4") == first
    assert large != first
    assert words(prepared(folder, spots()), page="A4") == first


def test_what_the_caller_gave_is_not_changed(folder: Path) -> None:
    given = {**minimap.layers(), "extent": minimap.extent()}
    before = {name: copy.deepcopy(one) for name, one in given.items()}
    lay_out(prepare(figure(folder, spots()), given))
    for name in minimap.layers():
        assert given[name].equals(before[name])
        assert given[name].crs == before[name].crs
