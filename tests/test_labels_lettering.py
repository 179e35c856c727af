"""Names as they are written: where they were placed, as text, readable over lines."""

from __future__ import annotations

import numpy as np
import pytest
from labelboards import board, named, point
from matplotlib.colors import to_rgba
from shapely.geometry import LineString, box

from urbangeo.maps.labels import place
from urbangeo.maps.labels import write as write_labels
from urbangeo.maps.sheet import DPI
from urbangeo.maps.style import settings


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


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


def test_a_name_along_a_line_is_turned_and_stays_text() -> None:
    axes = board()
    run = LineString([(10, 10), (90, 50)])
    found = place(axes, [point("旅游带", 50, 30, run=run)])
    (text,) = write_labels(axes, found)
    assert text.get_rotation() == pytest.approx(found.placed[0].angle % 360)
    assert text.get_text() == "旅游带"
    renderer = axes.get_figure(root=True).canvas.get_renderer()  # type: ignore[union-attr]
    drawn = text.get_window_extent(renderer).extents / DPI * 25.4
    assert drawn == pytest.approx(found.placed[0].box, abs=0.05)


def test_a_line_shows_faintly_through_the_halo() -> None:
    """Black line, white halo of 82 %: what is seen is neither."""
    axes = board()
    axes.set_axis_off()
    axes.plot([0, 100], [50, 50], color="black", linewidth=12)
    found = place(axes, [point("一", 50, 50, spots=((50.0, 50.0),), size=40.0, colour="#FF0000")])
    write_labels(axes, found)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    grey = pixels[(pixels[..., 0] == pixels[..., 1]) & (pixels[..., 1] == pixels[..., 2])][:, 0]
    tone, count = np.unique(grey[(grey > 100) & (grey < 255)], return_counts=True)
    assert tone[np.argmax(count)] == pytest.approx(255 * 0.82, abs=2)


def test_a_leader_line_has_a_light_edge() -> None:
    axes = board()
    found = place(axes, [named("甲乙", box(10, 10, 11, 11), leader=True, halo="#FCEBCB")])
    write_labels(axes, found)
    under, over = (
        next(line for line in axes.lines if line.get_gid() == f"{part}:甲乙")
        for part in ("leader_halo", "leader")
    )
    assert under.get_zorder() < over.get_zorder()
    assert under.get_linewidth() > over.get_linewidth()
    assert to_rgba(under.get_color()) == to_rgba("#FCEBCB")  # type: ignore[arg-type]
