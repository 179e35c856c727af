"""Furniture, measured on paper."""

from __future__ import annotations

import math
from collections.abc import Callable

import matplotlib as mpl
import pyproj
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps import furniture
from urbangeo.maps.drawing import draw_line
from urbangeo.maps.furniture import (
    add_map_title,
    add_note,
    add_scale_bar,
    add_title,
    bar_error,
    north_error,
)
from urbangeo.maps.legend import Entry, add_legend
from urbangeo.maps.sheet import PAGES, Sheet, add_inset, new_sheet
from urbangeo.maps.style import LINES, SIZES, settings

LINE = Entry("线", lines=("county",))


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def sheet(lon: float = 10.0, lat: float = 47.0, half_km: float = 150, **options: object) -> Sheet:
    """A sheet about a point, in the projection centred near 10° E, 47° N."""
    crs = equal_area((9.5, 46.5, 10.5, 47.5))
    x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    half = half_km * 1000
    return new_sheet((x - half, y - half, x + half, y + half), crs, **options)  # type: ignore[arg-type]


def texts(made: Sheet, gid: str) -> list[Text]:
    return [text for text in made.page.texts if text.get_gid() == gid]


def drawn(made: Sheet, gid: str) -> list[Rectangle]:
    return [patch for patch in made.page.patches if patch.get_gid() == gid]  # type: ignore[misc]


def test_paper_has_its_size() -> None:
    for name, size in PAGES.items():
        figure = sheet(page=name).figure
        assert figure.get_size_inches() * 25.4 == pytest.approx(size)


def test_scale_is_that_of_the_paper() -> None:
    made = sheet()
    west, east = made.map.get_xlim()
    south, north = made.map.get_ylim()
    left, bottom, right, top = made.frame
    assert (east - west) / ((right - left) / 1000) == pytest.approx(made.scale)
    assert (north - south) / ((top - bottom) / 1000) == pytest.approx(made.scale)
    assert made.scale % 50_000 == 0


@pytest.mark.parametrize("panel", [False, True])
def test_the_region_stands_left_of_the_column(panel: bool) -> None:
    made = sheet(half_km=100, panel=panel)
    west, _ = made.map.get_xlim()
    region_right = made.frame[0] + (100_000 - west) / made.scale * 1000
    assert made.frame[0] < region_right < made.column[0]
    south, _ = made.map.get_ylim()
    assert south < -100_000
    assert made.map.get_ylim()[1] > 100_000
    assert (made.frame[2] == made.column[0]) is panel
    assert made.right == made.column[2]


@pytest.mark.parametrize("lon", [10.0, 12.5, 7.0])
@pytest.mark.parametrize("lat", [47.0, 44.8, 49.5])
def test_scale_bar_is_true_at_the_centre(lon: float, lat: float) -> None:
    made = sheet(lon, lat)
    add_scale_bar(made, 60, 75)
    parts = [drawn(made, f"scale_bar:{part}")[0] for part in range(3)]
    length_mm = sum(part.get_width() for part in parts)
    # On the ellipsoid: walk as far as the bar is long, west to east through the centre.
    x, y = made.centre
    half = length_mm / 1000 * made.scale / 2
    back = pyproj.Transformer.from_crs(made.crs, 4326, always_xy=True)
    (lon1, lon2), (lat1, lat2) = back.transform([x - half, x + half], [y, y])
    metres = pyproj.Geod(ellps="WGS84").inv(lon1, lat1, lon2, lat2)[2]
    assert metres == pytest.approx(75_000, rel=0.005)
    written = [texts(made, f"scale_bar_text:{part}")[0].get_text() for part in range(4)]
    assert written == ["0", "25", "50", "75"]
    assert texts(made, "scale_bar_unit")[0].get_text().strip() == "km"


@pytest.mark.parametrize(
    ("asked", "step"), [(3.0, 1.0), (14.9, 2.5), (15.0, 5.0), (99.0, 25.0), (100.0, 25.0)]
)
def test_steps_of_a_bar_are_round(asked: float, step: float) -> None:
    assert furniture._scale_step(asked) == pytest.approx(step)


def test_north_turns_by_the_convergence_of_meridians() -> None:
    """Two degrees east of the central meridian north lies 2° sin(latitude) to the west."""
    made = sheet(12.0, 47.0)
    x, y = made.centre
    lon, lat = pyproj.Transformer.from_crs(made.crs, 4326, always_xy=True).transform(x, y)
    expected = -(lon - 10.0) * math.sin(math.radians(lat))
    assert abs(expected) > 1
    assert furniture.north_angle(made) == pytest.approx(expected, abs=0.05)


def test_north_arrow_stands_in_the_legend_where_it_hides_no_town() -> None:
    made = sheet()
    left, bottom, right, top = add_legend(made, [[LINE]])
    arrow = [patch for patch in made.page.patches if patch.get_gid() == "north"]
    corners = [corner for half in arrow for corner in half.get_path().vertices.tolist()]
    assert len(arrow) == 2
    assert all(left < x < right and bottom < y < top for x, y in corners)
    bar = drawn(made, "scale_bar:2")[0]
    assert bar.get_x() + bar.get_width() + 5 < min(x for x, _ in corners)


def test_title_block() -> None:
    made = sheet()
    add_title(made, "示例规划", "规划范围图", "图 1")
    assert [texts(made, gid)[0].get_text() for gid in ("heading", "title", "number")] == [
        "示例规划",
        "规划范围图",
        "图 1",
    ]
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    heading, title = (
        texts(made, gid)[0].get_window_extent(renderer) for gid in ("heading", "title")
    )
    assert heading.y0 > title.y1
    page_top = made.figure.bbox.height
    assert heading.y1 < page_top - 6 / 25.4 * made.figure.dpi


def test_note_wraps_within_the_neatline() -> None:
    made = sheet(note_rows=3)
    rows = add_note(made, ["资料来源：" + "某单位；" * 60])
    assert len(rows) > 1
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for row in rows:
        box = row.get_window_extent(renderer)
        assert box.x1 / made.figure.dpi * 25.4 <= made.right
        assert box.y0 / made.figure.dpi * 25.4 > 6.0
        assert not row.get_text().startswith(("；", "，", "。"))
    assert "".join(row.get_text() for row in rows) == "资料来源：" + "某单位；" * 60


@pytest.mark.parametrize("dpi", [100, 110, 150, 300, 600])
def test_a_note_stays_within_the_neatline_at_any_resolution(dpi: int) -> None:
    made = sheet(note_rows=3)
    rows = add_note(made, ["示意：走廊称“甲—乙半小时走廊”，36项中1项未绘（某园区）。" * 6])
    assert len(rows) > 1
    # Saved by the caller, without the package's settings, type is hinted and runs wider.
    with mpl.rc_context({"text.hinting": "force_autohint"}):
        made.figure.set_dpi(dpi)
        renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
        for row in rows:
            assert row.get_window_extent(renderer).x1 / dpi * 25.4 <= made.right


def test_a_note_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="shorten it"):
        add_note(sheet(note_rows=1), ["资料来源" * 200])


def test_inset_is_larger_and_outlined_on_the_map() -> None:
    made = sheet()
    bounds = (-20_000.0, -20_000.0, 20_000.0, 20_000.0)
    axes = add_inset(made, bounds, title="局部", bottom=made.column[1] + 60, top=made.column[3])
    assert axes is not None
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    assert west <= bounds[0]
    assert east >= bounds[2]
    assert south <= bounds[1]
    assert north >= bounds[3]
    box = axes.get_position()
    width_mm = box.width * PAGES["A4"][0]
    height_mm = box.height * PAGES["A4"][1]
    scale = (east - west) / width_mm * 1000
    assert scale == pytest.approx((north - south) / height_mm * 1000)
    assert scale < made.scale / 2
    (window,) = [patch for patch in made.map.patches if patch.get_gid() == "inset_window"]
    assert window.get_bbox().bounds == pytest.approx((-20_000, -20_000, 40_000, 40_000))  # type: ignore[attr-defined]


def test_no_inset_where_it_would_not_enlarge() -> None:
    made = sheet()
    whole = (-140_000.0, -140_000.0, 140_000.0, 140_000.0)
    assert add_inset(made, whole, title="", bottom=40, top=180) is None
    small = (-9_000.0, -9_000.0, 9_000.0, 9_000.0)
    assert add_inset(made, small, title="", bottom=170, top=180) is None
    assert not made.keep_off


@pytest.mark.parametrize(
    "make",
    [
        lambda: new_sheet((0, 0, 0, 1), equal_area((9, 46, 11, 48))),
        lambda: new_sheet((0, 0, math.nan, 1), equal_area((9, 46, 11, 48))),
        lambda: new_sheet((0, 0, 1, 1), equal_area((9, 46, 11, 48)), page="A7"),
    ],
)
def test_a_sheet_that_cannot_be_laid_out(make: Callable[[], Sheet]) -> None:
    with pytest.raises(InputError):
        make()


def test_a_cased_line_is_drawn_case_first() -> None:
    made = sheet()
    draw_line(made.map, [(0, 0), (1, 1)], LINES["hsr"])
    widths = [line.get_linewidth() for line in made.map.patches]
    assert len(widths) == 3
    assert widths[0] > widths[1] == widths[2]


# What was drawn, measured -------------------------------------------------------------------------


@pytest.mark.parametrize("lon", [10.0, 13.0, 7.0])
@pytest.mark.parametrize("lat", [47.0, 44.0, 50.0])
def test_a_drawn_bar_and_arrow_are_measured(lon: float, lat: float) -> None:
    made = sheet(lon, lat)
    add_legend(made, [[LINE]], kilometres=75)
    assert abs(bar_error(made.figure)) < 1e-5
    assert abs(north_error(made.figure)) < 0.01


def test_a_wrong_bar_is_found_out() -> None:
    made = sheet()
    add_legend(made, [[LINE]], kilometres=75)
    last = drawn(made, "scale_bar:2")[0]
    whole = 3 * last.get_width()
    last.set_width(last.get_width() + 0.01 * whole)
    assert bar_error(made.figure) == pytest.approx(0.01, abs=1e-4)
    texts(made, "scale_bar_text:3")[0].set_text("100")
    assert bar_error(made.figure) == pytest.approx(1.01 * 0.75 - 1, abs=1e-4)


def test_a_wrong_arrow_is_found_out() -> None:
    made = sheet()
    add_legend(made, [[LINE]])
    for half in made.page.patches:
        if half.get_gid() == "north":
            turn = Affine2D().rotate_deg(-5)  # clockwise
            half.set_xy(turn.transform(half.get_xy()))  # type: ignore[attr-defined]
    assert north_error(made.figure) == pytest.approx(5, abs=0.01)


def test_without_bar_or_arrow_there_is_nothing_to_measure() -> None:
    made = sheet()
    for measured in (bar_error, north_error):
        with pytest.raises(InputError, match="has no scale bar"):
            measured(made.figure)
    add_scale_bar(made, 60)
    with pytest.raises(InputError, match="has no north arrow"):
        north_error(made.figure)


# Titles and notes ---------------------------------------------------------------------------------


def span(made: Sheet, text: Text) -> tuple[float, float]:
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    extent = text.get_window_extent(renderer)
    return extent.x0 / made.figure.dpi * 25.4, extent.x1 / made.figure.dpi * 25.4


def test_titles_that_are_long_keep_to_their_room() -> None:
    made = sheet()
    add_title(
        made,
        "贵州省新型城镇化规划",
        "黔中城市群城镇等级规模与空间布局规划示意图",
        "图 12",
        "Ranks of cities and towns, and the spatial structure, of the urban agglomeration",
    )
    (title,), (second,), (number,) = (texts(made, gid) for gid in ("title", "subtitle", "number"))
    assert span(made, title)[1] < span(made, second)[0]
    assert span(made, second)[1] < span(made, number)[0]
    assert number.get_fontsize() == SIZES["number"]
    assert title.get_fontsize() == SIZES["title"]
    assert 0.48 * SIZES["heading"] <= second.get_fontsize() < SIZES["heading"]
    # Two lines, no higher than the title.
    assert second.get_text().count("\n") == 1
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    heights = [text.get_window_extent(renderer).height for text in (second, title)]
    assert heights[0] <= 1.02 * heights[1]


def test_a_short_subtitle_keeps_its_size_and_line() -> None:
    made = sheet()
    add_title(made, "规划", "空间布局示意图", "图 2", "Spatial structure")
    (second,) = texts(made, "subtitle")
    assert second.get_text() == "Spatial structure"
    assert second.get_fontsize() == SIZES["heading"]


@pytest.mark.parametrize("part", ["heading", "title", "subtitle"])
def test_titles_without_room_are_refused(part: str) -> None:
    words = {"heading": "规划", "title": "图", "subtitle": ""} | {part: "很长的题名" * 80}
    with pytest.raises(InputError, match=f"The {part} '很长的题名.*Shorten it"):
        add_title(sheet(), words["heading"], words["title"], "图 1", words["subtitle"])


def test_one_of_several_maps_is_titled_in_its_frame() -> None:
    made = sheet()
    left, bottom, right, top = made.frame
    add_map_title(made, made.frame, "都市圈：文本所列 As the plan says")
    (text,) = texts(made, "map_title")
    (panel,) = made.keep_off
    assert panel[0] == left
    assert panel[3] == top
    start, end = span(made, text)
    assert left < start
    assert end < panel[2] < right
    with pytest.raises(InputError, match=r"The map's title '很长.* Shorten it"):
        add_map_title(made, (left, bottom, left + 50, top), "很长的图名" * 8)


def test_a_date_of_drawing_fits_into_the_note() -> None:
    made = sheet(note_rows=4)
    rows = add_note(
        made, ["资料来源：某规划。", "投影：某某投影；" * 12 + "制图日期：2026年11月。绘制：某。"]
    )
    written = "".join(row.get_text() for row in rows)
    assert "制图日期：2026年11月。" in written
    assert all(span(made, row)[1] <= made.right for row in rows)


def test_a_note_in_english_breaks_between_words() -> None:
    made = sheet(note_rows=4)
    words = "Schematic: places and courses follow the words of the plan (chapter 2). " * 5
    rows = [row.get_text() for row in add_note(made, [words.strip()])]
    assert len(rows) > 1
    assert [word for row in rows for word in row.split()] == words.split()


@pytest.mark.parametrize(
    ("text", "spots"),
    [
        ("图例", [1]),
        ("图，例", [2]),
        ("（图）", []),
        ("a b", [1, 2]),
        ("ab", []),
        ("2026年", [4]),
        ("甲—乙", [2]),
        ("“绿心”", [2]),
    ],
)
def test_where_a_line_may_end(text: str, spots: list[int]) -> None:
    found = [spot for spot in range(1, len(text)) if furniture.may_break(text, spot)]
    assert found == spots
