"""Placement of labels: what must never happen, and what is preferred."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from shapely.geometry import LineString, box

from urbangeo.maps.labels import (
    CLEARANCE,
    Label,
    Placement,
    has_room,
    measure,
    page_box,
    place,
)
from urbangeo.maps.labels import write as write_labels
from urbangeo.maps.labelshapes import lines_cross, lines_meet
from urbangeo.maps.sheet import DPI
from urbangeo.maps.style import settings

Box = tuple[float, float, float, float]


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def board() -> Axes:
    """A map of 100 × 100 mm on which a metre is a millimetre, 10 mm from the page's corner."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(120 / 25.4, 120 / 25.4), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((10 / 120, 10 / 120, 100 / 120, 100 / 120))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    return axes


def point(key: str, x: float, y: float, **options: object) -> Label:
    return Label(**{"key": key, "texts": (key,), "x": x, "y": y, "size": 7.0, **options})  # type: ignore[arg-type]


def named(key: str, area: shapely.Geometry, *texts: str, **options: object) -> Label:
    middle = area.centroid
    return point(key, middle.x, middle.y, area=area, texts=texts or (key,), **options)


def overlap(one: Box, other: Box, gap: float = 0.0) -> bool:
    return (
        one[0] < other[2] + gap
        and one[2] > other[0] - gap
        and one[1] < other[3] + gap
        and one[3] > other[1] - gap
    )


def check(axes: Axes, found: Placement) -> None:
    boxes = [spot.box for spot in found.placed]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other, CLEARANCE - 1e-9)
    left, bottom, right, top = page_box(axes)
    for each in boxes:
        assert left < each[0] < each[2] < right
        assert bottom < each[1] < each[3] < top


def test_the_frame_in_millimetres() -> None:
    assert page_box(board()) == pytest.approx((10, 10, 110, 110))


def test_a_character_is_about_as_wide_as_its_size() -> None:
    """A Chinese character fills a square of the type's size: 10 points are 3.53 mm."""
    width, _ = measure(board().get_figure(root=True), "黔中城市", 10)  # type: ignore[arg-type]
    assert width == pytest.approx(4 * 10 / 72 * 25.4, rel=0.06)


def test_a_point_is_named_on_its_right() -> None:
    axes = board()
    found = place(axes, [point("甲乙", 50, 50, radius=1.0)])
    (spot,) = found.placed
    assert spot.box[0] > 10 + 50 + 1.0
    assert spot.y == pytest.approx(60, abs=0.2)
    assert spot.leader is None


def test_at_the_right_edge_it_is_named_on_its_left() -> None:
    strips = [(90, 62, 110, 110), (90, 10, 110, 58)]  # nothing above or below either
    found = place(board(), [point("甲乙丙丁", 97, 50, radius=1.0)], keep_off=strips)
    assert found.placed[0].box[2] < 10 + 97


def test_labels_of_one_spot_part() -> None:
    axes = board()
    found = place(axes, [point(name, 50, 50) for name in ("甲甲", "乙乙", "丙丙", "丁丁")])
    assert len(found.placed) == 4
    check(axes, found)


def test_an_area_is_named_in_its_middle() -> None:
    found = place(board(), [named("甲县", box(20, 20, 60, 40))])
    (spot,) = found.placed
    assert (spot.x, spot.y) == pytest.approx((50, 40), abs=1.0)


def test_a_narrow_area_gets_the_second_way_to_write_it() -> None:
    tall = box(40, 20, 52, 80)
    label = named("x", tall, "甲乙丙丁戊己庚", "甲乙丙丁\n戊己庚")
    (spot,) = place(board(), [label]).placed
    assert spot.text == "甲乙丙丁\n戊己庚"
    assert tall.contains(box(*(value - 10 for value in spot.box)))


def test_what_has_no_room_stands_aside_with_a_line() -> None:
    tiny = box(50, 50, 51, 51)
    label = named("甲乙丙", tiny)
    assert not has_room(board(), label)
    assert place(board(), [label]).left_out == (label,)
    found = place(board(), [named("甲乙丙", tiny, leader=True)])
    (spot,) = found.placed
    assert spot.leader is not None
    start, end = spot.leader
    assert shapely.Point(end).distance(box(60, 60, 61, 61)) < 1e-9
    assert box(*spot.box).exterior.distance(shapely.Point(start)) < 1e-9


def test_leaders_neither_cross_nor_run_through_names() -> None:
    axes = board()
    names = ["甲甲甲", "乙乙乙", "丙丙丙", "丁丁丁", "戊戊戊", "己己己"]
    areas = [box(50 + i % 3, 50 + i // 3, 51 + i % 3, 51 + i // 3) for i in range(6)]
    found = place(
        axes,
        [named(n, a, leader=True, required=True) for n, a in zip(names, areas, strict=True)],
    )
    assert len(found.placed) == 6
    check(axes, found)
    lines = [LineString(spot.leader) for spot in found.placed if spot.leader]
    assert len(lines) == 6
    for one, other in itertools.combinations(lines, 2):
        assert not one.intersects(other)
    for i, line in enumerate(lines):
        for j, spot in enumerate(found.placed):
            assert i == j or not line.intersects(box(*spot.box))


def test_the_required_turns_out_the_other() -> None:
    """Both fit the one free slot only; the one that is not required came first."""
    slot = box(10, 10, 20, 14)
    first = named("甲乙丙", slot, priority=0)
    second = named("丁戊己", slot, priority=1, required=True)
    found = place(board(), [first, second])
    assert [spot.label.key for spot in found.placed] == ["丁戊己"]
    assert found.left_out == (first,)


def test_nothing_stands_on_what_is_kept_off() -> None:
    legend = (60.0, 10.0, 110.0, 110.0)
    found = place(board(), [point("甲乙丙", 48, 50)], keep_off=[legend])
    assert not overlap(found.placed[0].box, legend)


def test_nothing_covers_a_symbol() -> None:
    symbols = [(55.0, 50.0, 1.0)]
    found = place(board(), [point("甲乙丙", 50, 50, radius=0.5)], symbols=symbols)
    assert not overlap(found.placed[0].box, (64, 59, 66, 61))


def test_a_line_is_rather_not_covered() -> None:
    """A road through the middle of the area pushes the name off it."""
    area = box(20, 20, 60, 40)
    road = LineString([(0, 30), (100, 30)])
    (spot,) = place(board(), [named("甲县", area)], lines=road).placed
    assert not overlap(spot.box, (0, 39.999, 120, 40.001))


def test_spots_are_tried_in_order() -> None:
    label = point("G1", 30, 30, spots=((30.0, 30.0), (70.0, 70.0)), badge="#000000")
    (spot,) = place(board(), [label]).placed
    assert (spot.x, spot.y) == pytest.approx((40, 40))
    (spot,) = place(board(), [label], keep_off=[(35, 35, 45, 45)]).placed
    assert (spot.x, spot.y) == pytest.approx((80, 80))


def test_no_label_no_place() -> None:
    assert place(board(), []) == Placement((), ())


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 100), st.booleans()), min_size=1, max_size=25
    )
)
def test_whatever_is_asked_nothing_overlaps(points: list[tuple[float, float, bool]]) -> None:
    axes = board()
    labels = [
        point(f"名{i}", x, y, required=seat, leader=seat, priority=0 if seat else 1)
        for i, (x, y, seat) in enumerate(points)
    ]
    found = place(axes, labels, keep_off=[(80, 10, 110, 60)])
    check(axes, found)
    assert len(found.placed) + len(found.left_out) == len(labels)
    assert found == place(axes, labels, keep_off=[(80, 10, 110, 60)])


def test_written_labels_are_where_they_were_placed() -> None:
    axes = board()
    labels = [
        point("甲乙", 30, 30, radius=1.0),
        named("x", box(60, 60, 80, 80), "丙丁戊\n己庚"),
        named("辛壬", box(10, 10, 11, 11), leader=True),
        point("G1", 50, 50, spots=((50.0, 50.0),), badge="#000000", size=5.0),
    ]
    found = place(axes, labels)
    texts = write_labels(axes, found)
    renderer = axes.get_figure(root=True).canvas.get_renderer()  # type: ignore[union-attr]
    assert [text.get_gid() for text in texts] == [f"label:{label.key}" for label in labels]
    for text, spot in zip(texts, found.placed, strict=True):
        drawn = text.get_window_extent(renderer).extents / DPI * 25.4
        assert drawn[0] >= spot.box[0] - 0.05
        assert drawn[1] >= spot.box[1] - 0.05
        assert drawn[2] <= spot.box[2] + 0.05
        assert drawn[3] <= spot.box[3] + 0.05
        # Text with a path effect would become outlines.
        assert not text.get_path_effects()
    assert len([line for line in axes.lines if line.get_gid() == "leader:辛壬"]) == 1


def test_a_leader_runs_through_no_other_symbol() -> None:
    """A ring of signs stands close about a point; a line may pass only between them."""
    axes = board()
    ring = [(50 + 3 * math.cos(a), 50 + 3 * math.sin(a)) for a in np.linspace(0, 2 * np.pi, 9)[:-1]]
    symbols = [(50.0, 50.0, 0.8), *((x, y, 0.8) for x, y in ring)]
    label = point("甲乙丙丁戊己庚", 50, 50, radius=0.9, leader=True)
    (spot,) = place(axes, [label], symbols=symbols).placed
    assert spot.leader is not None
    line = LineString(spot.leader)
    assert all(line.distance(shapely.Point(10 + x, 10 + y)) > 0.79 for x, y in ring)


def test_lines_meet_boxes_and_lines_as_shapely_says() -> None:
    rng = np.random.default_rng(2)
    lines, others = rng.uniform(0, 10, (2, 300, 4))
    low = rng.uniform(0, 9, (300, 2))
    boxes = np.hstack([low, low + rng.uniform(0.1, 3, (300, 2))])
    lines[0, 2:] = lines[0, :2]  # of no length
    lines[1, 2] = lines[1, 0]  # upright
    ours = shapely.linestrings(lines.reshape(-1, 2, 2))
    theirs = shapely.linestrings(others.reshape(-1, 2, 2))
    grown = shapely.box(*(boxes + np.array([-0.2, -0.2, 0.2, 0.2])).T)
    assert (lines_meet(lines, boxes) == shapely.intersects(ours, grown)).all()
    assert (lines_cross(lines[1:], others[1:]) == shapely.intersects(ours[1:], theirs[1:])).all()
    assert not lines_meet(np.full((1, 4), np.nan), boxes[:1]).any()
    assert not lines_cross(np.full((1, 4), np.nan), others[:1]).any()
