"""The figures, drawn of an invented province: what they show, and what they must not do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import minimap
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as MplPath
from matplotlib.text import Text
from shapely.geometry import box

from urbangeo.errors import CRSError, InputError
from urbangeo.maps.figures import draw_circle, draw_extent
from urbangeo.maps.style import COLOURS, missing_glyphs


@pytest.fixture(scope="module")
def extent_figure() -> Figure:
    return draw_extent(
        minimap.extent(), **minimap.layers(), heading="示例规划", number="图 1", kilometres=30
    )


@pytest.fixture(scope="module")
def circle_figure() -> Figure:
    return circle()


def circle(**changes: Any) -> Figure:
    return draw_circle(
        minimap.circle(**changes), counties=minimap.counties(), province=minimap.province()
    )


def texts(figure: Figure, gid: str) -> list[str]:
    found = [text for text in figure.findobj(Text) if (text.get_gid() or "").startswith(gid)]
    return [text.get_text() for text in found]  # type: ignore[attr-defined]


def maps(figure: Figure) -> Iterator[tuple[Axes, list[Text]]]:
    """Each map of a figure with its names."""
    for axes in figure.axes:
        names = [text for text in axes.texts if (text.get_gid() or "").startswith("label:")]
        if names:
            yield axes, names


def gids(figure: Figure) -> set[str]:
    found = (artist.get_gid() for axes in figure.axes for artist in axes.get_children())
    return {gid for gid in found if gid}


def check_names(figure: Figure) -> None:
    """No name overlaps another, leaves its frame, or lies under what stands on the map."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    per_mm = figure.dpi / 25.4
    seen = 0
    inset_boxes = [axes.get_window_extent() for axes, _ in list(maps(figure))[1:]]
    for number, (axes, names) in enumerate(maps(figure)):
        frame = axes.get_window_extent()
        spots = [(name.get_window_extent(renderer), name.get_text()) for name in names]
        seen += len(spots)
        for spot, text in spots:
            assert frame.x0 < spot.x0 < spot.x1 < frame.x1, text
            assert frame.y0 < spot.y0 < spot.y1 < frame.y1, text
            if number == 0:
                assert not any(spot.overlaps(other) for other in inset_boxes), text
        for (one, a), (other, b) in itertools.combinations(spots, 2):
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            up = min(one.y1, other.y1) - max(one.y0, other.y0)
            # 0.1 mm for what a box gains by rounding to dots
            assert min(across, up) < 0.1 * per_mm, (a, b)
    assert seen


# --- The extent ---------------------------------------------------------------------------------


def test_legend_is_as_printed(extent_figure: Figure) -> None:
    assert texts(extent_figure, "legend_entry") == [
        "省域边界",
        "规划范围边界",
        "市域边界",
        "县域边界",
    ]


def test_every_class_of_the_legend_is_drawn(extent_figure: Figure) -> None:
    lines = {f"line:{name}" for name in ("province", "extent", "prefecture", "county")}
    assert lines <= gids(extent_figure)


def test_scale_bar_title_and_north(extent_figure: Figure) -> None:
    assert texts(extent_figure, "scale_bar_text") == ["0", "10", "20", "30"]
    assert texts(extent_figure, "title") == ["规划范围图"]
    assert texts(extent_figure, "heading") == ["示例规划"]
    assert texts(extent_figure, "number") == ["图 1"]
    assert texts(extent_figure, "north") == ["N"]


def test_every_member_is_named_once_at_least(extent_figure: Figure) -> None:
    units = minimap.counties().set_index("adcode")
    named = {gid.removeprefix("label:") for gid in gids(extent_figure) if gid.startswith("label:")}
    assert set(minimap.extent().adcodes) <= named
    written = {text.replace("\n", "") for text in texts(extent_figure, "label:")}
    for code in minimap.extent().adcodes:
        assert {units.loc[code, "name"], units.loc[code, "short_name"]} & written


def test_the_crowded_members_are_named_in_the_inset_alone(extent_figure: Figure) -> None:
    (_, main), (_, enlarged) = maps(extent_figure)
    units = minimap.counties()
    small = units.bounds["maxx"] - units.bounds["minx"] < 0.2
    crowded = {f"label:{code}" for code in units.loc[small, "adcode"]}
    assert len(crowded) == 15
    assert crowded <= {name.get_gid() for name in enlarged}
    assert not crowded & {name.get_gid() for name in main}
    assert texts(extent_figure, "inset_title") == ["西山市局部放大"]
    assert "inset_window" in gids(extent_figure)


def test_the_outline_has_no_slits(extent_figure: Figure) -> None:
    """Corners of the small districts lie on edges of their neighbours; none may show."""
    (outline,) = [p for p in extent_figure.axes[0].patches if p.get_gid() == "line:extent"]
    codes = outline.get_path().codes
    assert codes is not None
    assert int((codes == MplPath.MOVETO).sum()) == 1


def test_names_stand_free(extent_figure: Figure) -> None:
    check_names(extent_figure)


def test_neighbours_are_named_in_lighter_type(extent_figure: Figure) -> None:
    (_, names), *_ = maps(extent_figure)
    members = set(minimap.extent().adcodes)
    others = [name for name in names if (name.get_gid() or "")[6:] not in members]
    assert {"南 邻 省"} <= {name.get_text() for name in others}
    assert {name.get_color() for name in others} == {COLOURS["faint_ink"]}
    chief = [name for name in names if name not in others]
    assert {name.get_color() for name in chief} == {COLOURS["ink"]}


def test_note_names_sources_and_projection(extent_figure: Figure) -> None:
    note = "".join(texts(extent_figure, "note"))
    assert "某测绘单位" in note
    assert "兰勃特方位等积投影（中心 12°E，47°N）" in note
    assert "审图号" not in note
    assert "未经地图审核" in note


def test_an_approval_number_only_if_given() -> None:
    figure = draw_extent(minimap.extent(), **minimap.layers(), approval="某S（2026）1号")
    assert "审图号：某S（2026）1号" in "".join(texts(figure, "note"))


def test_every_character_can_be_drawn(extent_figure: Figure, circle_figure: Figure) -> None:
    assert missing_glyphs(extent_figure) == {}
    assert missing_glyphs(circle_figure) == {}


def test_a3_is_drawn_at_a_larger_scale() -> None:
    figure = draw_extent(minimap.extent(), **minimap.layers(), page="A3")
    assert figure.get_size_inches() * 25.4 == pytest.approx((420, 297))
    check_names(figure)


def test_a_shared_edge_is_drawn_once() -> None:
    """Two dashed lines one on the other would fill each other's gaps."""
    from urbangeo.maps.shapes import outlines

    # A square of 10 km and, east of it, two halves of one: 60 km around them all, 10 km between
    # the squares, 10 km between the halves. One corner is off by rounding.
    squares = [
        box(0, 0, 10_000, 10_000),
        box(10_000, 0, 20_000, 5_000),
        box(10_000.0001, 5_000, 20_000, 10_000),
    ]
    assert outlines(squares).length == pytest.approx(80_000, abs=1)


def test_a_name_is_broken_after_the_people_it_names() -> None:
    from urbangeo.maps.base import wrapped

    assert wrapped("甲乙县") == ("甲乙县",)
    assert wrapped("寅卯丑族辰巳族自治县")[1] == "寅卯丑族\n辰巳族自治县"
    assert wrapped("甲乙丙丁戊己")[1] == "甲乙丙\n丁戊己"


def test_missing_members_are_named() -> None:
    asked = SimpleNamespace(title="示例", adcodes=("990101", "123456"))
    with pytest.raises(InputError, match=r"1 member\(s\) of '示例' are missing.*123456"):
        draw_extent(asked, **minimap.layers())


def test_an_extent_without_members() -> None:
    with pytest.raises(InputError, match="has no member"):
        draw_extent(SimpleNamespace(title="空", adcodes=()), **minimap.layers())


@pytest.mark.parametrize("name", ["counties", "prefectures", "province"])
def test_layers_need_a_crs(name: str) -> None:
    layers = minimap.layers()
    layers[name] = layers[name].set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match=name):
        draw_extent(minimap.extent(), **layers)


def test_an_empty_layer_is_refused() -> None:
    layers = minimap.layers()
    layers["prefectures"] = layers["prefectures"].iloc[:0]
    with pytest.raises(InputError, match="prefectures is empty"):
        draw_extent(minimap.extent(), **layers)


def test_layers_in_another_crs_give_the_same_map() -> None:
    layers = {name: frame.to_crs(3857) for name, frame in minimap.layers().items()}
    one = draw_extent(minimap.extent(), **layers)
    other = draw_extent(minimap.extent(), **minimap.layers())
    assert texts(one, "label:") == texts(other, "label:")
    assert one.axes[0].get_xlim() == pytest.approx(other.axes[0].get_xlim(), abs=1.0)


# --- The circle ---------------------------------------------------------------------------------


def test_circle_is_called_schematic(circle_figure: Figure) -> None:
    assert texts(circle_figure, "title") == ["中心市60分钟通勤圈示意图"]
    assert "".join(texts(circle_figure, "note")).startswith("示意：")


def test_a_real_network_is_not() -> None:
    network = {**minimap.circle().network, "schematic": False}
    figure = circle(network=network)
    assert texts(figure, "title") == ["中心市60分钟通勤圈"]
    assert "示意" not in "".join(texts(figure, "note"))
    assert "路网" in texts(figure, "legend_entry")


def test_circle_legend_shows_what_is_drawn_and_no_more(circle_figure: Figure) -> None:
    assert texts(circle_figure, "legend_entry") == [
        "通勤中心",
        "前往中心行程时间",
        "0–30 分钟",
        "30–60 分钟",
        "60–90 分钟",
        "60 分钟圈界",
        "城镇",
        "圈内（3 处）",
        "临界（余量小于路网误差）（1 处）",
        "圈外（1 处）",
        "不可达（1 处）",
        "路网（骨架）",
        "高速铁路",
        "高速公路",
        "普通国道",
        "省道及以下公路",
        "界线",
        "县域边界",
    ]


def test_the_provinces_border_is_explained_where_it_is_drawn() -> None:
    near_border = minimap.circle().bands.translate(xoff=-1.2)
    bands = minimap.circle().bands.set_geometry(near_border)
    assert "省域边界" in texts(circle(bands=bands), "legend_entry")


def test_circle_draws_each_band_and_status(circle_figure: Figure) -> None:
    found = gids(circle_figure)
    assert {"band:30", "band:60", "band:90", "line:limit", "centres"} <= found
    statuses = {gid for gid in found if gid.startswith("towns:")}
    assert statuses == {
        "towns:inside",
        "towns:borderline",
        "towns:outside",
        "towns:unreachable",
    }


def test_a_status_outside_the_frame_has_no_entry() -> None:
    """天边 lies beyond the frame, so that 未接入路网 is not in the legend above; here it is."""
    towns = minimap.circle().towns
    towns.loc[towns["name"] == "天边", "geometry"] = towns.geometry.iloc[0].buffer(0.05).centroid
    assert "未接入路网（1 处）" in texts(circle(towns=towns), "legend_entry")


def test_circle_names_towns_and_centre(circle_figure: Figure) -> None:
    written = texts(circle_figure, "label:")
    for name in ("中心市", "近城县", "桥头", "河口", "远山县", "G1"):
        assert name in written
    assert "天边" not in written
    check_names(circle_figure)


def test_seats_within_are_listed_by_time(circle_figure: Figure) -> None:
    assert texts(circle_figure, "list") == [
        "圈内市县驻地（分钟）",
        *("中心镇", "3"),
        *("近城县", "21"),
    ]


def test_year_profile_and_attribution(circle_figure: Figure) -> None:
    footer = "".join(texts(circle_figure, "legend_footer"))
    assert "2022 年末路网；速度方案：常态" in footer
    note = "".join(texts(circle_figure, "note"))
    assert "示例路网提供者" in note
    assert "0123456789ab" in note
    assert "不等于实际通勤流" in note


def test_direction_and_several_centres() -> None:
    centres = [
        SimpleNamespace(name="中心市", lon=11.5, lat=47.0),
        SimpleNamespace(name="新区", lon=11.3, lat=46.9),
    ]
    figure = circle(centres=centres, direction="from")
    assert texts(figure, "title") == ["中心市、新区60分钟通勤圈示意图"]
    assert "自中心出发行程时间" in texts(figure, "legend_entry")
    assert {"中心市", "新区"} <= set(texts(figure, "label:"))


def test_centres_may_be_a_table() -> None:
    centres = gpd.GeoDataFrame(
        {"name": ["中心市"]}, geometry=gpd.points_from_xy([11.5], [47.0]), crs=4326
    )
    assert texts(circle(centres=centres), "title") == ["中心市60分钟通勤圈示意图"]


def test_an_empty_band_is_left_out() -> None:
    bands = minimap.circle().bands
    bands.loc[2, "geometry"] = bands.geometry.iloc[2].intersection(
        bands.geometry.iloc[0].buffer(-1)
    )
    assert bands.geometry.iloc[2].is_empty
    figure = circle(bands=bands)
    assert "60–90 分钟" not in texts(figure, "legend_entry")


def test_circle_without_towns() -> None:
    figure = circle(towns=minimap.circle().towns.iloc[:0])
    assert "城镇" not in texts(figure, "legend_entry")
    assert texts(figure, "list") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"centres": []}, "no centre"),
        ({"bands": minimap.circle().bands.iloc[:0]}, "no band"),
        ({"towns": minimap.circle().towns.assign(status="maybe")}, "'maybe'; known: inside"),
    ],
)
def test_a_circle_that_cannot_be_drawn(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        circle(**changes)


def test_circle_tables_need_a_crs() -> None:
    bands = minimap.circle().bands.set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="bands of the circle"):
        circle(bands=bands)
