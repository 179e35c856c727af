"""A layer on a map: heights in the pile, signs side by side, names, entries of the legend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from matplotlib.axes import Axes
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.drawing import metres_per_mm, window
from urbangeo.maps.fetched import Fetched
from urbangeo.maps.layers import StyledLayer, make_layer
from urbangeo.maps.prepare import _join
from urbangeo.maps.records import ClassRecord, FigureRecord, LayerRecord, Names
from urbangeo.maps.sheet import new_sheet
from urbangeo.maps.style import SIZES, settings
from urbangeo.maps.symbols import PointStyle, colour, named_style

CRS = equal_area((10, 46, 13, 48))
KM = 1000.0
SIGN, LINE, AREA = (named_style(name) for name in ("park-national", "axis", "zone-farm"))


@pytest.fixture
def axes() -> Iterator[Axes]:
    """A map of 100 km by 50 km, and what surrounds it, on A4."""
    with settings():
        yield new_sheet((-50 * KM, -25 * KM, 50 * KM, 25 * KM), CRS).map


def made(
    geometry: list[BaseGeometry],
    style: Any = SIGN,
    *,
    names: Names | None = None,
    number: int = 0,
    schematic: bool = False,
    **record: Any,
) -> StyledLayer:
    rows = {"name": [f"{'甲乙丙丁戊'[i]}" for i in range(len(geometry))]}
    frame = gpd.GeoDataFrame(rows, geometry=geometry, crs=CRS)
    only = (ClassRecord(label="一类", label_en="One", style=style, names=names),)
    layer = LayerRecord(**{"name": "某层", "source": "file:x.gpkg", "classes": only, **record})
    fetched = Fetched(frame, len(frame), schematic)
    return make_layer(layer, fetched, number, FigureRecord(key="a", file=Path("x.toml")), CRS)


# Signs --------------------------------------------------------------------------------------------


def apart(xy: np.ndarray) -> float:
    """The least distance of two of some points."""
    pairs = shapely.distance(shapely.points(xy)[:, None], shapely.points(xy)[None])
    return float(pairs[~np.eye(len(xy), dtype=bool)].min())


def test_signs_at_one_place_stand_side_by_side(axes: Axes) -> None:
    assert isinstance(SIGN, PointStyle)
    scale = metres_per_mm(axes)
    layer = made([Point(0, 0), Point(0, 0), Point(30 * KM, 0)])
    xy = layer.positions(scale)
    # The width of a sign, and 0.15 mm between two.
    assert apart(xy[:2]) == pytest.approx((SIGN.size + 0.15) * scale)
    assert xy[:2].mean(axis=0) == pytest.approx([0, 0])
    assert tuple(xy[2]) == (30 * KM, 0)
    one_above_the_other = made([Point(0, 0), Point(0, 0)], spread=False)
    assert apart(one_above_the_other.positions(scale)) == 0


def test_what_is_given_cannot_be_moved(axes: Axes) -> None:
    with pytest.raises(ValueError, match="read-only"):
        made([Point(0, 0)]).positions(metres_per_mm(axes))[0] = 1


def test_layers_lay_their_signs_out_together(axes: Axes) -> None:
    scale = metres_per_mm(axes)
    large = PointStyle(
        tuple(
            shape.__class__(shape.shape, 2 * shape.size, shape.face, shape.edge)
            for shape in SIGN.marks  # type: ignore[union-attr]
        )
    )
    one = made([Point(0, 0), Point(20 * KM, 0)], together="组")
    other = made([Point(0, 0)], large, together="组")
    alone = made([Point(0, 0)])
    # Apart, each stands where it is.
    assert apart(np.vstack([one._placed(scale)[:1], other._placed(scale)])) == 0
    _join([one, other, alone])
    assert [one.fellows, other.fellows, alone.fellows] == [[one, other], [one, other], []]
    xy = np.vstack([one.positions(scale), other.positions(scale)])
    # As far apart as the largest of them needs.
    assert apart(xy) == pytest.approx((large.size + 0.15) * scale)
    assert len(one.positions(scale)) == 2
    assert tuple(one.positions(scale)[1]) == (20 * KM, 0)
    assert tuple(alone.positions(scale)[0]) == (0, 0)


def test_only_layers_of_one_name_lay_out_together(axes: Axes) -> None:
    layers = [made([Point(0, 0)], together=name) for name in ("甲组", "乙组", "甲组", "")]
    _join(layers)  # type: ignore[arg-type]
    assert layers[0].fellows == [layers[0], layers[2]]
    assert layers[1].fellows == [layers[1]]
    assert layers[3].fellows == []


def test_a_layer_of_lines_may_be_among_them(axes: Axes) -> None:
    signs = made([Point(0, 0), Point(0, 0)], together="组")
    lines = made([LineString([(0, 0), (1, 0)])], LINE, together="组")
    _join([signs, lines])
    assert signs.positions(metres_per_mm(axes)).shape == (2, 2)
    assert lines.positions(metres_per_mm(axes)).shape == (0, 2)


def test_signs_are_told_for_names_to_keep_off(axes: Axes) -> None:
    assert isinstance(SIGN, PointStyle)
    layer = made([Point(1, 2), LineString([(30 * KM, 0), (40 * KM, 0)])], SIGN)
    first, second = layer.symbols(axes)
    assert (first.x, first.y, first.radius) == (1, 2, SIGN.size / 2)
    assert (second.x, second.y) == (35 * KM, 0)
    assert made([box(0, 0, 1, 1)], AREA).symbols(axes) == []


# The pile -----------------------------------------------------------------------------------------


def height(layer: StyledLayer) -> float:
    (piece,) = layer.pieces
    return layer.zorder(piece)


def test_signs_stand_over_lines_and_these_over_areas() -> None:
    line, area = LineString([(0, 0), (1, 0)]), box(0, 0, 1, 1)
    # The county boundaries are at 3, the extent's at 5, the province's at 6, names at 60.
    assert height(made([area], AREA)) < 3
    assert height(made([line], LINE)) > 6
    assert height(made([line], LINE)) < height(made([Point(0, 0)])) < 60
    assert height(made([line], LINE, source="rivers")) < 3
    assert height(made([line], LINE, above=False)) < 3
    assert height(made([area], AREA, above=True)) > 6
    two = [Point(0, 0), Point(10, 0)]
    assert 6 < height(made(two, AREA, shape="belt")) < 8
    assert height(made(two, AREA, shape="belt", above=False)) < 3


@pytest.mark.parametrize("above", [True, False])
def test_a_later_layer_lies_higher(above: bool) -> None:
    area = [box(0, 0, 1, 1)]
    lower, upper = (made(area, AREA, number=n, above=above) for n in (3, 4))
    assert height(lower) < height(upper)


def test_the_first_class_lies_highest_in_its_layer() -> None:
    rows = gpd.GeoDataFrame({"g": ["一", "二"]}, geometry=[Point(0, 0)] * 2, crs=CRS)
    classes = tuple(ClassRecord(label=one, value=(one,), style=SIGN) for one in "一二")
    record = LayerRecord(name="某层", source="file:x", field="g", classes=classes)
    layer = make_layer(record, Fetched(rows, 2), 0, FigureRecord(key="a"), CRS)
    heights = {piece.row.label: layer.zorder(piece) for piece in layer.pieces}
    assert heights["一"] > heights["二"]


# Drawing ------------------------------------------------------------------------------------------


def gids(axes: Axes) -> list[str]:
    return [str(one.get_gid()) for one in axes.get_children() if one.get_gid()]


def test_each_class_is_drawn_under_its_name(axes: Axes) -> None:
    for shape, style in ((Point(0, 0), SIGN), (LineString([(0, 0), (9 * KM, 0)]), LINE),
                         (box(0, 0, 9 * KM, 9 * KM), AREA)):  # fmt: skip
        before = len(gids(axes))
        made([shape], style).draw(axes)
        assert set(gids(axes)[before:]) == {"layer:某层:一类"}


def test_what_lies_beyond_the_window_is_not_drawn(axes: Axes) -> None:
    far = 1000 * KM
    made([Point(far, 0)]).draw(axes)
    made([box(far, far, 2 * far, 2 * far)], AREA).draw(axes)
    assert gids(axes) == []


def test_the_legend_lists_what_stands_in_the_window(axes: Axes) -> None:
    view = window(axes)
    (entry,) = made([Point(0, 0)]).entries(view)
    assert (entry.text, entry.other) == ("一类", "One")
    assert made([Point(1000 * KM, 0)]).entries(view) == []


def test_lines_are_told_for_names_to_keep_off() -> None:
    lines = [LineString([(0, 0), (3, 0)]), LineString([(0, 1), (4, 1)])]
    assert made(lines, LINE).lines.length == 7
    assert made([Point(0, 0)]).lines.is_empty


@pytest.mark.parametrize(
    ("shape", "rows_made", "expected"),
    [("", True, True), ("", False, False), ("belt", False, True), ("hull", False, True),
     ("curve", False, True), ("union", False, False)],
)  # fmt: skip
def test_what_is_made_from_words_is_schematic(shape: str, rows_made: bool, expected: bool) -> None:
    style = {"": SIGN, "curve": LINE}.get(shape, AREA)
    shapes = [box(i, 0, i + 1, 1) if shape == "union" else Point(9 * i, 0) for i in range(2)]
    layer = made(shapes, style, shape=shape, schematic=rows_made)
    assert layer.schematic is expected


def test_an_error_says_where() -> None:
    with pytest.raises(InputError, match=r"x\.toml, a, 某层: the class '一类'"):
        made([Point(0, 0)], LINE)


# Names --------------------------------------------------------------------------------------------

NONE: frozenset[int] = frozenset()


def test_a_sign_is_named_beside_itself(axes: Axes) -> None:
    assert isinstance(SIGN, PointStyle)
    names = Names(size="seat", weight="bold", colour="red", priority=2, required=True, leader=True)
    (label,) = made([Point(3, 4)], names=names).labels(axes, NONE)
    assert (label.texts, label.x, label.y) == (("甲",), 3, 4)
    assert (label.size, label.weight, label.colour) == (SIZES["seat"], "bold", colour("red"))
    assert (label.priority, label.required, label.leader) == (2, True, True)
    assert label.radius == SIGN.size / 2 + 0.1
    (label,) = made([Point(3, 4)], names=Names(size=9.5)).labels(axes, NONE)
    assert (label.size, label.badge) == (9.5, "")
    (label,) = made([Point(3, 4)], names=Names(badge=True)).labels(axes, NONE)
    assert label.badge == colour("ink")


def test_a_hidden_sign_is_named_only_if_it_must_be(axes: Axes) -> None:
    points = [Point(0, 0), Point(20 * KM, 0)]
    hidden = frozenset({0})
    assert [one.texts for one in made(points, names=Names()).labels(axes, hidden)] == [("乙",)]
    required = made(points, names=Names(required=True))
    assert len(required.labels(axes, hidden)) == 2
    assert made(points).labels(axes, NONE) == []


def test_what_lies_beyond_the_window_is_not_named(axes: Axes) -> None:
    assert made([Point(1000 * KM, 0)], names=Names()).labels(axes, NONE) == []
    far = LineString([(1000 * KM, 0), (1001 * KM, 0)])
    assert made([far], LINE, names=Names()).labels(axes, NONE) == []


def test_an_area_is_named_inside_what_is_seen_of_it(axes: Axes) -> None:
    view = window(axes)
    (label,) = made([box(0, 0, 900 * KM, 9 * KM)], AREA, names=Names()).labels(axes, NONE)
    assert label.area is not None
    assert label.area.area == pytest.approx(view.intersection(box(0, 0, 900 * KM, 9 * KM)).area)
    assert view.contains(Point(label.x, label.y))


def test_a_band_is_named_along_its_axis(axes: Axes) -> None:
    two = [Point(0, 0), Point(40 * KM, 0)]
    layer = made(two, AREA, shape="belt", names=Names(text="某带"))
    (label,) = layer.labels(axes, NONE)
    assert label.area is None
    assert label.run is not None
    assert label.run.length == pytest.approx(40 * KM)
    assert all(y == 0 for _, y in label.spots)


def test_a_line_is_named_along_its_longest_run_in_the_window(axes: Axes) -> None:
    """Half-way first, then to either side in turn."""
    west, east = LineString([(-30 * KM, 0), (-20 * KM, 0)]), LineString([(0, 0), (20 * KM, 0)])
    both = shapely.MultiLineString([west, east])
    (label,) = made([both], LINE, names=Names()).labels(axes, NONE)
    assert [round(x / KM, 6) for x, _ in label.spots[:3]] == [10, 8.4, 11.6]
    assert len(label.spots) == 11
    assert label.radius > 0
    # The number of a road stands on it, in a frame.
    (badge,) = made([both], LINE, names=Names(badge=True)).labels(axes, NONE)
    assert badge.run is None
    assert badge.badge
