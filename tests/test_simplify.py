"""Ways to links: where they are split and joined, and how long they are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbangeo.crs import GEOD
from urbangeo.network.simplify import (
    Chains,
    chains,
    line_lengths_m,
    segment_lengths_m,
    take_lines,
)


def run(
    lines: Sequence[Sequence[int]],
    group: Sequence[int] = (),
    directed: Sequence[bool] = (),
    keep: Sequence[int] = (),
) -> Chains:
    highest = max((max(line, default=0) for line in lines), default=0)
    kept = np.zeros(highest + 1, dtype=bool)
    kept[list(keep)] = True
    return chains(
        np.array([node for line in lines for node in line], dtype=np.int64),
        np.cumsum([0, *map(len, lines)]),
        np.array(group or [0] * len(lines), dtype=np.int64),
        np.array(directed or [False] * len(lines), dtype=bool),
        kept,
    )


def paths(made: Chains) -> list[list[int]]:
    return [part.tolist() for part in np.split(made.vertex, made.offsets[1:-1])]


def test_ways_in_a_row_become_one_link() -> None:
    made = run([[0, 1, 2], [2, 3], [3, 4, 5]])
    assert paths(made) == [[0, 1, 2, 3, 4, 5]]
    assert (made.line.tolist(), made.part.tolist()) == ([0], [0])


def test_ways_drawn_against_each_other_are_joined_in_the_sense_of_the_first() -> None:
    assert paths(run([[0, 1], [2, 1], [2, 3]])) == [[0, 1, 2, 3]]
    # the piece that begins the chain is turned only if neither end begins forwards
    assert paths(run([[1, 0], [1, 2]])) == [[0, 1, 2]]


def test_a_way_is_split_where_another_meets_it() -> None:
    made = run([[0, 1, 2, 3, 4], [2, 5]])
    assert paths(made) == [[0, 1, 2], [2, 3, 4], [2, 5]]
    assert (made.line.tolist(), made.part.tolist()) == ([0, 0, 1], [0, 1, 0])
    assert made.tail.tolist() == [0, 2, 2]
    assert made.head.tolist() == [2, 4, 5]


def test_crossing_ways_without_a_common_node_are_not_split() -> None:
    assert paths(run([[0, 1, 2], [3, 4, 5]])) == [[0, 1, 2], [3, 4, 5]]


def test_attributes_that_differ_end_a_link() -> None:
    assert paths(run([[0, 1], [1, 2], [2, 3]], group=[7, 7, 8])) == [[0, 1, 2], [2, 3]]


def test_one_way_pieces_are_joined_only_head_to_tail() -> None:
    assert paths(run([[0, 1], [1, 2]], directed=[True, True])) == [[0, 1, 2]]
    assert paths(run([[1, 2], [0, 1]], directed=[True, True])) == [[0, 1, 2]]
    assert paths(run([[0, 1], [2, 1]], directed=[True, True])) == [[0, 1], [2, 1]]
    assert paths(run([[0, 1], [1, 2]], directed=[True, False])) == [[0, 1], [1, 2]]


def test_a_station_ends_a_link() -> None:
    assert paths(run([[0, 1, 2]], keep=[1])) == [[0, 1], [1, 2]]


def test_a_ring_with_one_road_is_cut_halfway() -> None:
    made = run([[1, 2, 3, 4, 1], [0, 1]])
    assert paths(made) == [[1, 2, 3], [3, 4, 1], [0, 1]]
    assert made.waypoint.tolist() == [3]


def test_a_ring_of_its_own_is_opened_at_its_first_node() -> None:
    made = run([[5, 6, 7, 8, 5]])
    assert paths(made) == [[5, 6, 7], [7, 8, 5]]
    made = run([[0, 1, 2], [2, 3, 0]])  # of two ways
    assert paths(made) == [[0, 1, 2], [2, 3, 0]]
    made = run([[0, 1, 2], [2, 3, 0]], directed=[True, True])
    assert paths(made) == [[0, 1, 2], [2, 3, 0]]


def test_a_lollipop_drawn_in_one_go() -> None:
    # from 0 to 1, round 2 and 3 and back to 1: node 1 stands twice in the way
    made = run([[0, 1, 2, 3, 1]])
    assert paths(made) == [[0, 1], [1, 2], [2, 3, 1]]
    assert made.waypoint.tolist() == [2]


def test_there_and_back_on_one_way() -> None:
    made = run([[0, 1, 0]])
    assert paths(made) == [[0, 1], [1, 0]]


def test_repeated_vertices_and_empty_lines_are_counted() -> None:
    made = run([[0, 1, 1, 2], [3, 3], [], [4]])
    assert paths(made) == [[0, 1, 2]]
    assert (made.repeated, made.empty) == (2, 3)
    none = run([[3, 3]])
    assert (len(none.line), len(none.offsets), none.empty) == (0, 1, 1)


def test_parallel_links_stay_two() -> None:
    assert paths(run([[0, 1, 2], [0, 3, 2], [0, 4], [2, 5]])) == [
        [0, 1, 2],
        [0, 3, 2],
        [0, 4],
        [2, 5],
    ]


@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6), min_size=1, max_size=8),
    st.data(),
)
def test_no_segment_is_lost_and_no_link_leads_to_itself(
    lines: list[list[int]], data: st.DataObject
) -> None:
    size = len(lines)
    group = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    made = run(lines, group=group, directed=[bool(one) for one in group])
    before = sorted(
        tuple(sorted(pair))
        for line in lines
        for pair in itertools.pairwise(line)
        if pair[0] != pair[1]
    )
    after = sorted(tuple(sorted(pair)) for path in paths(made) for pair in itertools.pairwise(path))
    assert (after if len(made.line) else []) == before
    assert (made.tail != made.head).all()
    assert len({*zip(made.line.tolist(), made.part.tolist(), strict=True)}) == len(made.line)
    # a one-way segment keeps its sense
    forward = {
        pair
        for line, one in zip(lines, group, strict=True)
        if one
        for pair in itertools.pairwise(line)
    }
    for path, line in zip(paths(made), made.line.tolist(), strict=False):
        if group[line]:
            assert set(itertools.pairwise(path)) <= forward


@pytest.mark.parametrize("step", [1e-6, 1e-3, 0.019, 0.5])
def test_lengths_are_those_of_the_geodesic(step: float) -> None:
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-179, 179, 500), rng.uniform(-84, 84, 500)
    dlon, dlat = rng.uniform(-step, step, 500), rng.uniform(-step, step, 500)
    made = segment_lengths_m(lon, lat, lon + dlon, lat + dlat)
    exact = GEOD.inv(lon, lat, lon + dlon, lat + dlat)[2]
    np.testing.assert_allclose(made, exact, rtol=1e-7, atol=1e-9)


def test_near_a_pole_and_across_the_date_line_the_geodesic_is_used() -> None:
    lon0, lat0 = np.array([10.0, 179.999]), np.array([89.9, 20.0])
    lon1, lat1 = np.array([10.01, -179.999]), np.array([89.91, 20.0])
    made = segment_lengths_m(lon0, lat0, lon1, lat1)
    np.testing.assert_allclose(made, GEOD.inv(lon0, lat0, lon1, lat1)[2], rtol=1e-12)


def test_lengths_of_lines_leave_out_the_gap_between_them() -> None:
    xy = np.array([[107.0, 27.0], [107.01, 27.0], [120.0, 30.0], [120.0, 30.01], [120.0, 30.02]])
    made = line_lengths_m(xy, np.array([0, 2, 5]))
    expected = [
        GEOD.line_length([107.0, 107.01], [27.0, 27.0]),
        GEOD.line_length([120.0] * 3, [30.0, 30.01, 30.02]),
    ]
    assert made == pytest.approx(expected, rel=1e-7)
    assert line_lengths_m(np.empty((0, 2)), np.zeros(1, dtype=np.int64)).size == 0


def test_lines_are_taken_and_turned() -> None:
    values, bounds = take_lines(
        np.array([1, 2, 3, 4, 5]),
        np.array([0, 2, 5]),
        np.array([1, 0, 1]),
        np.array([True, False, False]),
    )
    assert values.tolist() == [5, 4, 3, 1, 2, 3, 4, 5]
    assert bounds.tolist() == [0, 3, 5, 8]
