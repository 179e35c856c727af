"""Named styles: all can be drawn, and classes of one family are told apart in grey."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.drawing import draw_area, draw_lines, draw_points
from urbangeo.maps.style import settings
from urbangeo.maps.symbols import (
    STYLES,
    AreaStyle,
    LineStyle,
    PointStyle,
    Style,
    colour,
    marker,
    named_style,
    varied,
)


def picture(name: str) -> bytes:
    """A style on a white ground of 10 × 10 mm, grey."""
    style: Style = STYLES[name]
    with settings():
        figure = Figure(figsize=(10 / 25.4, 10 / 25.4), dpi=254, facecolor="#FFFFFF")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        options = {"zorder": 3, "gid": "x"}
        if isinstance(style, PointStyle):
            draw_points(axes, [(5, 5)], style, **options)  # type: ignore[arg-type]
        elif isinstance(style, LineStyle):
            line = shapely.LineString([(0, 5), (10, 5)])
            draw_lines(axes, line, style, scale=1.0, **options)  # type: ignore[arg-type]
        else:
            assert isinstance(style, AreaStyle)
            draw_area(axes, shapely.box(1, 1, 9, 9), style, scale=1.0, **options)  # type: ignore[arg-type]
        canvas.draw()
        dots = np.asarray(canvas.buffer_rgba())[..., :3]
    grey = (dots @ [0.2126, 0.7152, 0.0722]).round().astype(np.uint8)
    return grey.tobytes()


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    return {name: picture(name) for name in STYLES}


def test_every_style_shows(pictures: dict[str, bytes]) -> None:
    blank = b"\xff" * len(next(iter(pictures.values())))
    assert [name for name, drawn in pictures.items() if drawn == blank] == []


def families() -> list[list[str]]:
    stems = ("city-", "park-", "substation-", "reservoir-", "belt-", "zone-", "class-")
    made = [[name for name in STYLES if name.startswith(stem)] for stem in stems]
    kinds = ("reserve", "landscape", "forest", "wetland", "geopark")
    made.append([f"{kind}-{level}" for kind in kinds for level in ("national", "provincial")])
    made.append(["core", "capital", "city-1", "city-2", "city-3", "city-4", "county-seat", "town"])
    made.append(["inside", "gained", "gained-later", "outside"])
    return made


@pytest.mark.parametrize("family", families(), ids=lambda names: names[0])
def test_a_family_is_told_apart_in_grey(pictures: dict[str, bytes], family: list[str]) -> None:
    """At a dot of 0.1 mm, two signs differ in dots that together make 0.4 mm² of black."""
    for one, other in itertools.combinations(family, 2):
        pairs = zip(pictures[one], pictures[other], strict=True)
        difference = sum(abs(a - b) for a, b in pairs) / 255 * 0.01
        assert difference > 0.4, (one, other, difference)


def test_a_style_is_varied() -> None:
    red = varied(STYLES["park-provincial"], "#FF0000", 5.0)
    assert isinstance(red, PointStyle)
    assert (red.size, red.marks[0].face) == (5.0, "#FF0000")
    hollow = varied(STYLES["city-1"], "#FF0000")
    assert isinstance(hollow, PointStyle)
    assert (hollow.marks[0].face, hollow.marks[0].edge) == ("#FFFFFF", "#FF0000")
    with pytest.raises(InputError, match="size is 0"):
        varied(STYLES["town"], size=0)
    with pytest.raises(InputError, match="An area has no size"):
        varied(STYLES["group"], size=2)


def test_colours_and_shapes_by_name() -> None:
    assert colour("blue") == "#0072B2"
    assert to_rgb(colour("#abcdef"))
    for wrong in ("bleu", "0.5", "C0", "#12345"):
        with pytest.raises(UnknownNameError):
            colour(wrong)
    assert marker("s") == "s"
    with pytest.raises(UnknownNameError, match="Did you mean plane"):
        marker("plan")
    with pytest.raises(UnknownNameError, match="Did you mean park-national"):
        named_style("park-natonal")
