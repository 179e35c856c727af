"""The graticule: lines where their degrees are, names at the frame, nothing covered."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest
from matplotlib.text import Text

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.graticule import STEPS, add_graticule, in_degrees, round_step
from urbangeo.maps.legend import Entry, add_legend
from urbangeo.maps.paper import page_box
from urbangeo.maps.sheet import Sheet, new_sheet
from urbangeo.maps.style import settings

CRS = equal_area((105.5, 26.5, 106.5, 27.5))  # centred on 106 E, 27 N
BACK = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True)
THERE = pyproj.Transformer.from_crs(4326, CRS, always_xy=True)


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def sheet(half_km: float = 150, crs: pyproj.CRS = CRS, **options: object) -> Sheet:
    half = half_km * 1000
    return new_sheet((-half, -half, half, half), crs, **options)  # type: ignore[arg-type]


def lines(made: Sheet) -> list[np.ndarray]:
    return [
        artist.get_path().vertices  # type: ignore[attr-defined, misc]
        for artist in made.map.get_children()
        if artist.get_gid() == "graticule"
    ]


def labels(made: Sheet) -> list[Text]:
    return [text for text in made.page.texts if text.get_gid() == "graticule_label"]


def box(made: Sheet, text: Text) -> tuple[float, float, float, float]:
    renderer = made.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    extent = np.asarray(text.get_window_extent(renderer).extents) * 25.4 / made.figure.dpi
    return tuple(extent.tolist())  # type: ignore[return-value]


def meets(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(
    ("minutes", "letters", "written"),
    [
        (6360, "EW", "106°E"),
        (6390, "EW", "106°30′E"),
        (6365, "EW", "106°05′E"),
        (-45, "EW", "0°45′W"),
        (1620, "NS", "27°N"),
        (-1650, "NS", "27°30′S"),
        (0, "NS", "0°"),
    ],
)
def test_degrees_and_minutes(minutes: int, letters: str, written: str) -> None:
    assert in_degrees(minutes, letters) == written


def test_each_line_follows_its_degree() -> None:
    made = sheet()
    assert add_graticule(made, 0.5) == 0.5
    drawn = lines(made)
    found = []
    for xy in drawn:
        lon, lat = BACK.transform(*xy.T)
        spreads = np.ptp(lon), np.ptp(lat)
        kind = int(spreads[1] < spreads[0])
        values = (lon, lat)[kind]
        degree = round(float(values.mean()) * 2) / 2
        # Between its points a line is straight.
        assert np.abs(values - degree).max() < 1e-4
        found.append((kind, degree))
    assert len(found) == len(set(found))
    # Everything that is a multiple of half a degree and crosses the map is there.
    (west, east), (south, north) = made.map.get_xlim(), made.map.get_ylim()
    for kind, degree in ((0, 106.0), (1, 27.0), (1, 26.5)):
        assert (kind, degree) in found
    for lon in np.arange(100, 113, 0.5):
        x, y = THERE.transform(np.full(400, lon), np.linspace(23, 31, 400))
        inside = ((west < x) & (x < east) & (south < y) & (y < north)).sum() > 2
        assert ((0, lon) in found) is bool(inside)


def test_a_parallel_is_bent_as_the_projection_bends_it() -> None:
    """Two degrees from the centre a parallel has risen by 1 - cos(2° sin 27°) of its radius."""
    made = sheet()
    add_graticule(made, 1)
    (parallel,) = [xy for xy in lines(made) if np.abs(BACK.transform(*xy.T)[1] - 27).max() < 1e-3]
    x, y = parallel.T
    radius = 6_378_137 / math.tan(math.radians(27))
    at = np.interp(np.array([0, 150_000]), x, y)
    assert at[0] == pytest.approx(0, abs=10)
    assert at[1] - at[0] == pytest.approx(150_000**2 / (2 * radius), rel=0.02)


def test_labels_stand_inside_the_frame_and_off_the_furniture() -> None:
    made = sheet()
    legend = add_legend(made, [[Entry("线", lines=("county",))]])
    add_graticule(made, 0.5)
    left, bottom, right, top = page_box(made.map)
    boxes = [box(made, text) for text in labels(made)]
    assert len(boxes) > 10
    for row, one in enumerate(boxes):
        assert left < one[0]
        assert one[2] < right
        assert bottom < one[1]
        assert one[3] < top
        assert not meets(one, legend)
        assert not any(meets(one, other) for other in boxes[:row])
    # What is named later keeps off them.
    for one in boxes:
        assert any(
            one[0] == pytest.approx(kept[0], abs=0.1) and one[1] == pytest.approx(kept[1], abs=0.1)
            for kept in made.keep_off
        )


def test_a_label_names_the_line_beside_it() -> None:
    made = sheet()
    add_graticule(made, 1)
    left, _, right, top = page_box(made.map)
    for text in labels(made):
        x0, y0, _, y1 = box(made, text)
        written = text.get_text()
        value = float(written.split("°")[0])
        if written.endswith("E"):
            at = (x0 - 0.7, top if y1 > top - 5 else page_box(made.map)[1])
        else:
            at = (left if x0 < left + 5 else right, y0 - 0.28)
        pixel = np.array(at) / 25.4 * made.figure.dpi
        lon, lat = BACK.transform(*made.map.transData.inverted().transform(pixel))
        assert (lon if written.endswith("E") else lat) == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize("half_km", [3, 30, 150, 600])
def test_the_step_is_round_and_lines_stand_apart(half_km: float) -> None:
    made = sheet(half_km)
    step = round_step(made)
    assert round(step * 60) in STEPS
    east, _ = THERE.transform(106 + step, 27)
    apart = east / made.scale * 1000
    assert apart >= 29.9
    # The next smaller step would have been too close.
    smaller = [one for one in STEPS if one < round(step * 60)]
    if smaller:
        assert THERE.transform(106 + smaller[-1] / 60, 27)[0] / made.scale * 1000 < 30
    assert add_graticule(made) == step
    assert labels(made)


def test_maps_side_by_side_have_one_each() -> None:
    half = 100_000.0
    box_ = (-half, -half, half, half)
    made = new_sheet(box_, CRS, panel=True, beside=[box_])
    add_graticule(made, 1)
    (second, frame) = made.beside[0]
    assert any(artist.get_gid() == "graticule" for artist in second.get_children())
    assert any(frame[0] < box(made, text)[0] for text in labels(made))


def test_beyond_the_antimeridian_longitudes_go_on_westerly() -> None:
    crs = equal_area((179, 0, 180, 1))
    made = sheet(400, crs)
    add_graticule(made, 1)
    written = {text.get_text() for text in labels(made)}
    assert {"179°E", "180°", "179°W"} <= written


@pytest.mark.parametrize("step", [0.0, -1.0, 0.001, 1 / 7, math.nan, math.inf])
def test_a_step_that_is_no_whole_minutes_is_refused(step: float) -> None:
    with pytest.raises(InputError, match="whole minutes of arc are expected"):
        add_graticule(sheet(), step)


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(InputError, match="Give a larger step"):
        add_graticule(sheet(), 1 / 60)


def test_a_pole_is_refused() -> None:
    with pytest.raises(InputError, match="holds a pole"):
        add_graticule(sheet(400, equal_area((10, 89, 11, 90))), 1)
