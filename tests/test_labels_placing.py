"""Placement of labels: what must never happen, and what is preferred."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from labelboards import board, named, point
from matplotlib.axes import Axes
from shapely.geometry import LineString, box

from urbangeo.maps.labels import LEAST_SIZE, Label, Placement, has_room, place
from urbangeo.maps.labels.shapes import CLEARANCE
from urbangeo.maps.paper import page_box
from urbangeo.maps.style import settings
from urbangeo.maps.textsize import measure

Box = tuple[float, float, float, float]


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def overlap(one: Box, other: Box, gap: float = 0.0) -> bool:
    return (
        one[0] < other[2] + gap
        and one[2] > other[0] - gap
        and one[1] < other[3] + gap
        and one[3] > other[1] - gap
    )


def check(axes: Axes, found: Placement) -> None:
    """No name nearer to another than the clearance, none over the frame, no leader over either."""
    for one, other in itertools.combinations(found.placed, 2):
        if one.angle or other.angle:
            apart = shapely.Polygon(one.corners).distance(shapely.Polygon(other.corners))
            assert apart >= CLEARANCE - 1e-6
        else:
            assert not overlap(one.box, other.box, CLEARANCE - 1e-9)
    lines = [(i, LineString(s.leader)) for i, s in enumerate(found.placed) if s.leader]
    for (_, one), (_, other) in itertools.combinations(lines, 2):
        assert not one.intersects(other)
    for i, line in lines:
        for j, spot in enumerate(found.placed):
            assert i == j or not line.intersects(shapely.Polygon(spot.corners))
    left, bottom, right, top = page_box(axes)
    for each in (spot.box for spot in found.placed):
        assert left < each[0] < each[2] < right
        assert bottom < each[1] < each[3] < top


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


def test_a_strong_line_is_covered_last() -> None:
    """A weak line on the right is covered sooner than a strong one above."""
    weak = LineString([(53, 45), (53, 55)])
    strong = LineString([(40, 52.5), (60, 52.5)])
    label = point("甲乙丙", 50, 50, radius=1.0)
    (spot,) = place(board(), [label], lines=[(weak, 0.1), (strong, 3.0)]).placed
    assert spot.box[0] > 61
    assert overlap(spot.box, (63, 55, 63, 65))
    assert not overlap(spot.box, (50, 62.5, 70, 62.5))


def test_a_name_keeps_off_the_sign_of_another_place() -> None:
    """Right of the point it would stand as near to the other sign; it stands above instead."""
    other = (58.0, 50.0, 0.8)
    label = point("甲乙", 50, 50, radius=1.0)
    (alone,) = place(board(), [label], symbols=[(50, 50, 0.9)]).placed
    assert 0.35 < 10 + 58.0 - 0.8 - alone.box[2] < 1.1
    (spot,) = place(board(), [label], symbols=[(50, 50, 0.9), other]).placed
    assert spot.y > alone.y + 1


def test_a_belt_is_named_along_its_line() -> None:
    run = LineString([(10, 10), (90, 50)])
    label = point("旅游带", 50, 30, run=run, spots=((50.0, 30.0),))
    (spot,) = place(board(), [label]).placed
    assert spot.angle == pytest.approx(math.degrees(math.atan2(40, 80)), abs=0.1)
    assert (spot.x, spot.y) == pytest.approx((60, 40), abs=1.0)
    width, height = measure(board().get_figure(root=True), "旅游带", 7.0)  # type: ignore[arg-type]
    assert shapely.Polygon(spot.corners).area == pytest.approx(width * height, rel=1e-6)
    assert box(*spot.box).buffer(1e-9).covers(shapely.Polygon(spot.corners))


def test_a_river_is_named_beside_its_line() -> None:
    run = LineString([(10, 20), (90, 60)])
    label = point("乌江", 50, 40, run=run, radius=0.3, spots=((50.0, 40.0),))
    (spot,) = place(board(), [label], lines=run).placed
    course = LineString([(20, 30), (100, 70)])
    assert shapely.Polygon(spot.corners).distance(course) > 0.3
    assert spot.y > 30 + (spot.x - 20) / 2  # above it


def test_two_belts_that_cross_are_both_named() -> None:
    axes = board()
    runs = [LineString([(10, 50), (90, 52)]), LineString([(50, 10), (52, 90)])]
    found = place(
        axes,
        [point(f"第{n}旅游带", 50, 50, run=run, required=True) for n, run in zip("一二", runs)],  # noqa: B905
    )
    assert len(found.placed) == 2
    check(axes, found)
    assert "\n" in found.placed[1].text  # the upright one is written downwards


def test_too_short_a_run_is_named_at_a_spot() -> None:
    run = LineString([(50, 50), (53, 52)])
    label = point("民族文化旅游走廊", 50, 50, run=run, spots=((51.5, 51.0),))
    (spot,) = place(board(), [label]).placed
    assert spot.angle == 0
    assert (spot.x, spot.y) == pytest.approx((61.5, 61))


def test_a_required_name_is_set_smaller_before_it_is_left_out() -> None:
    """Four characters of 7 points are 9.9 mm wide, of 5.5 points 7.8; their frame 0.9 more."""
    walls = [(10, 10, 110, 57), (10, 63, 110, 110), (10, 10, 55, 110), (64.6, 10, 110, 110)]
    label = point("甲乙丙丁", 49.8, 50, spots=((49.8, 50.0),), badge="#000000")
    assert place(board(), [label], keep_off=walls).left_out == (label,)
    required = replace(label, required=True)
    (spot,) = place(board(), [required], keep_off=walls).placed
    assert LEAST_SIZE <= spot.label.size < 7
    assert spot.box[0] > 55
    assert spot.box[2] < 64.6


def test_a_required_name_stands_aside_before_it_is_left_out() -> None:
    walls = [(40, 40, 80, 59), (40, 61, 80, 80), (40, 40, 59, 80), (61, 40, 80, 80)]
    label = point("甲乙丙丁戊己", 50, 50, radius=0.5, size=LEAST_SIZE, required=True)
    assert not place(board(), [label], keep_off=walls).placed  # a line may not cross a panel
    signs = [(50 + x, 50 + y, 1.0) for x in (-3, 0, 3) for y in (-3, 0, 3) if x or y]
    (spot,) = place(board(), [label], symbols=signs).placed
    assert spot.leader is not None
    assert spot.label.leader


def test_what_can_have_no_place_is_given_back_as_it_came() -> None:
    label = point("甲乙", -50, 50, required=True)
    assert place(board(), [label]) == Placement((), (label,))


def test_equal_names_of_one_place_are_written_once() -> None:
    county = named("county", box(20, 20, 60, 60), "仁怀市", size=5.0, priority=6)
    seat = point("seat", 30, 30, texts=("仁怀市",), required=True)
    near = point("near", 32, 30, texts=("仁怀 市",), priority=-1)
    far = point("far", 80, 80, texts=("仁怀市",))
    found = place(board(), [county, seat, near, far])
    assert {spot.label.key for spot in found.placed} == {"seat", "far"}
    assert found.repeated == (county, near)
    assert not found.left_out


def test_equal_names_of_neighbouring_areas_are_written_twice() -> None:
    areas = [named(f"{x}", box(x, 20, x + 20, 40), "市中区") for x in (20, 40)]
    found = place(board(), areas)
    assert len(found.placed) == 2
    assert not found.repeated


def test_no_label_no_place() -> None:
    assert place(board(), []) == Placement((), ())


KINDS = ("point", "required", "leader", "area", "run", "river", "badge")


def made(number: int, kind: str, x: float, y: float, reach: float) -> Label:
    """A name of a kind, at or near a place."""
    key = f"名{number}"
    options: dict[str, object] = {"priority": number % 4}
    if kind == "required":
        options |= {"required": True, "radius": 0.8}
    if kind == "leader":
        options |= {"required": True, "leader": True, "priority": 0}
    if kind == "area":
        options["area"] = box(x, y, x + reach, y + reach / 2)
    if kind in ("run", "river"):
        options["run"] = LineString([(x, y), (x + reach, y + reach / 3), (x + reach, y + reach)])
        options["spots"] = ((x, y),)
        options["radius"] = 0.3 if kind == "river" else 0.0
    if kind == "badge":
        options |= {"spots": ((x, y), (x + 5, y)), "badge": "#000000", "size": 4.6}
    return point(key, x, y, **options)


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.floats(-5, 105), st.floats(-5, 105), st.floats(1, 40)),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_is_asked_nothing_overlaps(asked: list[tuple[str, float, float, float]]) -> None:
    axes = board()
    labels = [made(number, *one) for number, one in enumerate(asked)]
    signs = [(label.x, label.y, 0.7) for label in labels if label.area is None and not label.spots]
    lines = LineString([(0, 50), (100, 55)])
    legend = (80.0, 10.0, 110.0, 60.0)
    found = place(axes, labels, keep_off=[legend], lines=lines, symbols=signs)
    check(axes, found)
    for spot in found.placed:
        shape = shapely.Polygon(spot.corners)
        assert not shape.intersects(box(*legend))
        assert not any(shape.intersects(shapely.Point(10 + x, 10 + y)) for x, y, _ in signs)
        assert spot.label.size >= min(LEAST_SIZE, made(0, "badge", 0, 0, 1).size)
    keys = [spot.label.key for spot in found.placed]
    keys += [label.key for label in found.left_out]
    assert sorted(keys) == sorted(label.key for label in labels)
    again = place(axes, labels, keep_off=[legend], lines=lines, symbols=signs)
    assert again == found


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


def test_a_leader_runs_through_no_sign_that_touches_its_own() -> None:
    """Two signs side by side: from the left one no line leaves to the right."""
    symbols = [(50.0, 50.0, 1.0), (52.1, 50.0, 1.0)]
    walls = [(10, 10, 58, 110), (58, 10, 110, 59.2), (58, 60.8, 110, 110)]
    label = point("甲乙丙丁", 50, 50, radius=1.1, leader=True)
    assert not place(board(), [label], symbols=symbols, keep_off=walls).placed
    (spot,) = place(board(), [label], symbols=symbols, keep_off=[(10, 62, 110, 110)]).placed
    assert spot.leader is None or not LineString(spot.leader).intersects(
        shapely.Point(62.1, 60).buffer(0.95)
    )
