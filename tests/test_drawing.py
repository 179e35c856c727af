"""Lines, areas and signs on axes: widths, dashes and arrow heads measured on paper."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import shapely
from matplotlib.axes import Axes
from matplotlib.path import Path as DrawnPath
from shapely.geometry import LineString, MultiPolygon, Point, box

from urbangeo.crs import equal_area
from urbangeo.maps.drawing import (
    add_lines,
    draw_area,
    draw_line,
    draw_lines,
    draw_points,
    fill,
    metres_per_mm,
    stroke,
    stroke_inside,
    window,
)
from urbangeo.maps.sheet import new_sheet
from urbangeo.maps.style import LINES, Line, points, settings
from urbangeo.maps.symbols import AreaStyle, LineStyle, Mark, PointStyle

RED, INK = "#B3202A", "#1A1A1A"


@pytest.fixture
def axes() -> Iterator[Axes]:
    """A map at 1:1 000 000: a millimetre is a kilometre."""
    with settings():
        bounds = (-50_000, -50_000, 50_000, 50_000)
        made = new_sheet(bounds, equal_area((10, 46, 11, 47)), round_to=1_000_000)
        yield made.map


def patches(axes: Axes, gid: str = "x") -> list:  # type: ignore[type-arg]
    return [one for one in axes.get_children() if one.get_gid() == gid]


def test_a_millimetre_of_paper(axes: Axes) -> None:
    assert metres_per_mm(axes) == pytest.approx(1000, rel=1e-3)
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    assert window(axes).bounds == (west, south, east, north)


def test_lines_of_one_style_are_one_path(axes: Axes) -> None:
    stroke(axes, [[(0, 0), (1, 0)], [(5, 5), (6, 5), (7, 5)], [(9, 9)]], Line(INK, 0.5), gid="x")
    (patch,) = patches(axes)
    codes = patch.get_path().codes
    # A line of one point is none.
    assert list(codes) == [DrawnPath.MOVETO, DrawnPath.LINETO] + [DrawnPath.MOVETO] + (
        [DrawnPath.LINETO] * 2
    )
    assert patch.get_linewidth() == pytest.approx(points(0.5))
    stroke(axes, [], Line(INK, 0.5), gid="none")
    assert patches(axes, "none") == []


def test_a_line_is_cased_then_filled_then_dashed(axes: Axes) -> None:
    style = Line(INK, 0.4, (1.6, 0.8), case=0.2, case_colour=RED, gap="#FFFFFF")
    draw_line(axes, np.array([(0, 0), (1, 0)]), style, gid="x")
    case, gap, line = patches(axes)
    widths = [one.get_linewidth() for one in (case, gap, line)]
    assert widths == pytest.approx([points(0.6), points(0.4), points(0.4)])
    assert [one.get_linestyle() for one in (case, gap)] == ["solid", "solid"]
    # Dashes are millimetres: 1.6 on, 0.8 off, for a line of 0.4.
    offset, dashes = line._unscaled_dash_pattern
    assert (offset, list(dashes)) == (0, pytest.approx([4, 2]))


def test_a_line_of_the_style_sheet(axes: Axes) -> None:
    mixed = shapely.GeometryCollection([LineString([(0, 0), (9, 0)]), Point(3, 3)])
    add_lines(axes, mixed, "county", 3)
    (patch,) = patches(axes, "line:county")
    assert len(patch.get_path().vertices) == 2
    assert patch.get_linewidth() == pytest.approx(points(LINES["county"].width))


def test_an_area_with_a_hole_keeps_it(axes: Axes) -> None:
    ring = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    patch = fill(axes, MultiPolygon([ring, box(50, 0, 60, 10)]), RED, 2, "x")
    path = patch.get_path()
    assert int((path.codes == DrawnPath.MOVETO).sum()) == 3
    # Outlines and holes run against each other, so that holes are not filled.
    assert path.contains_point((5, 5))
    assert path.to_polygons()
    assert fill(axes, MultiPolygon(), RED, 2, "none").get_path().vertices.shape == (0, 2)


def test_an_outline_on_the_inner_side_is_clipped(axes: Axes) -> None:
    stroke_inside(axes, box(0, 0, 10, 10), "extent", 5)
    (patch,) = patches(axes, "line:extent")
    assert patch.get_linewidth() == pytest.approx(2 * points(LINES["extent"].width))
    assert patch.get_clip_path() is not None


def test_an_area_is_filled_hatched_and_outlined(axes: Axes) -> None:
    square = box(0, 0, 20_000, 20_000)
    style = AreaStyle("#56B4E9", 0.5, RED, 0, 2.0, 0.15, Line(INK, 0.3))
    draw_area(axes, square, style, zorder=2, gid="x", scale=1000)
    filled, hatched, edge = patches(axes)
    assert filled.get_alpha() == 0.5
    # 20 mm high, a line each 2 mm: both edges count.
    assert int((hatched.get_path().codes == DrawnPath.MOVETO).sum()) == 11
    assert edge.get_linewidth() == pytest.approx(points(0.3))
    plain = AreaStyle("", edge=Line(INK, 0.3))
    draw_area(axes, square, plain, zorder=2, gid="y", scale=1000)
    assert len(patches(axes, "y")) == 1


def test_a_solid_line_and_its_arrow_head_are_one_piece(axes: Axes) -> None:
    """1 mm wide, 40 mm long; the head 2.4 mm wide and 2.2 mm long."""
    line = LineString([(0, 0), (40_000, 0)])
    style = LineStyle((Line(RED, 1.0),), "end", 0.5)
    draw_lines(axes, line, style, zorder=8, gid="x", scale=1000)
    (patch,) = patches(axes)
    (outline,) = patch.get_path().to_polygons(closed_only=True)
    shape = shapely.Polygon(outline)
    assert shape.area == pytest.approx((40 - 2.2) * 1e6 + 2.4 * 2.2 / 2 * 1e6, rel=0.01)
    assert shape.bounds == pytest.approx((0, -1200, 40_000, 1200), abs=1)
    assert patch.get_alpha() == 0.5


def test_heads_at_both_ends(axes: Axes) -> None:
    line = LineString([(0, 0), (40_000, 0)])
    cased = LineStyle((Line(RED, 1.0, case=0.2, case_colour=INK),), "both")
    draw_lines(axes, line, cased, zorder=8, gid="x", scale=1000)
    first, second, *strokes = patches(axes)
    reach = [one.get_path().get_extents() for one in (first, second)]
    assert (min(one.x0 for one in reach), max(one.x1 for one in reach)) == (0, 40_000)
    assert len(strokes) == 2
    # The shaft ends where the heads begin: 2.2 times 1.2 mm from either end.
    (west, _), (east, _) = strokes[0].get_path().vertices
    assert (west, east) == pytest.approx((2640, 40_000 - 2640))


def test_a_line_too_short_for_a_head_has_none(axes: Axes) -> None:
    style = LineStyle((Line(RED, 1.0),), "end")
    draw_lines(axes, LineString([(0, 0), (3000, 0)]), style, zorder=8, gid="x", scale=1000)
    (patch,) = patches(axes)
    assert patch.get_path().vertices.tolist() == [[0, 0], [3000, 0]]


def test_a_sign_is_drawn_mark_by_mark(axes: Axes) -> None:
    style = PointStyle((Mark("o", 4.0, RED, INK), Mark("o", 2.0, INK, INK)))
    draw_points(axes, [(0, 0), (1, 1)], style, zorder=20, gid="x")
    lower, upper = axes.lines
    assert [lower.get_markersize(), upper.get_markersize()] == pytest.approx([points(4), points(2)])
    assert lower.get_zorder() < upper.get_zorder()
    assert np.array_equal(lower.get_xydata(), [(0, 0), (1, 1)])
    assert math.isclose(lower.get_zorder(), 20)
