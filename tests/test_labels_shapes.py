"""Boxes and lines as arrays against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from urbangeo.maps.labels.shapes import (
    boxes_meet,
    corners,
    lines_cross,
    lines_meet,
    lines_near,
    upright,
)


def some_boxes(seed: int, count: int, *, askew: bool) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi / 2, np.pi / 2, count) if askew else np.zeros(count)
    return np.column_stack(
        [rng.uniform(0, 20, (count, 2)), rng.uniform(0.5, 4, (count, 1)),
         rng.uniform(0.3, 1, (count, 1)), angle]
    )  # fmt: skip


def test_a_box_on_its_side() -> None:
    """4 × 2 mm turned by a quarter is 2 × 4 mm; by 45° its half width is (2 + 1) / √2."""
    boxes = np.array([[5, 5, 2, 1, 0], [5, 5, 2, 1, np.pi / 2], [5, 5, 2, 1, np.pi / 4]])
    diagonal = 3 / np.sqrt(2)
    assert upright(boxes)[0].tolist() == [3, 4, 7, 6]
    assert upright(boxes)[1].tolist() == pytest.approx([4, 3, 6, 7])
    assert upright(boxes)[2].tolist() == pytest.approx(
        [5 - diagonal, 5 - diagonal, 5 + diagonal, 5 + diagonal]
    )
    assert corners(boxes)[1].tolist() == [
        pytest.approx(place) for place in ([6, 3], [6, 7], [4, 7], [4, 3])
    ]


@pytest.mark.parametrize("askew", [False, True])
def test_boxes_meet_as_shapely_says(askew: bool) -> None:
    ours, theirs = some_boxes(1, 60, askew=askew), some_boxes(2, 60, askew=False)
    shapes = [shapely.polygons(corners(boxes)) for boxes in (ours, theirs)]
    meets = boxes_meet(ours, theirs, 0.0)
    assert (meets == shapely.intersects(shapes[0][:, None], shapes[1][None])).all()
    # With a gap: nothing nearer than it is missed, nothing beyond its diagonal is taken.
    far = shapely.distance(shapes[0][:, None], shapes[1][None])
    wide = boxes_meet(ours, theirs, 0.5)
    assert wide[far < 0.5].all()
    assert not wide[far > 0.5 * np.sqrt(2)].any()
    assert not boxes_meet(ours, np.full((1, 5), np.nan)).any()


def test_lines_run_through_discs_as_shapely_says() -> None:
    rng = np.random.default_rng(3)
    lines, discs = rng.uniform(0, 10, (80, 4)), rng.uniform(0.1, 10, (50, 3))
    discs[:, 2] /= 5
    shapes = shapely.linestrings(lines.reshape(-1, 2, 2))
    far = shapely.distance(shapes[:, None], shapely.points(discs[:, :2])[None])
    assert (lines_near(lines, discs) == (far < discs[:, 2])).all()
    still = np.array([[1.0, 1.0, 1.0, 1.0]])  # of no length
    assert lines_near(still, np.array([[1.5, 1, 0.6], [1.5, 1, 0.4]])).tolist() == [[True, False]]


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
