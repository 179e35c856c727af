"""The sheet: frames of several maps, boxes of the page in metres, where the column stands.

What stands on a sheet is measured in `test_furniture.py`.
"""

from __future__ import annotations

import math

import pytest

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.sheet import add_inset, add_panel, new_sheet, on_map
from urbangeo.maps.style import settings

CRS = equal_area((10, 46, 11, 47))
SQUARE = (-50_000.0, -50_000.0, 50_000.0, 50_000.0)
WIDE = (200_000.0, -20_000.0, 340_000.0, 20_000.0)


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def test_maps_side_by_side_share_scale_and_height() -> None:
    sheet = new_sheet(SQUARE, CRS, panel=True, beside=[WIDE])
    (first, left), (second, right) = sheet.maps
    assert left[2] == pytest.approx(right[0])
    assert right[2] == sheet.column[0]
    assert (left[1], left[3]) == (right[1], right[3]) == (sheet.column[1], sheet.column[3])
    for axes, frame, bounds in ((first, left, SQUARE), (second, right, WIDE)):
        (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
        assert (east - west) / (frame[2] - frame[0]) * 1000 == pytest.approx(sheet.scale)
        # Each shows its region whole.
        assert west < bounds[0] < bounds[2] < east
        assert south < bounds[1] < bounds[3] < north
    assert sheet.right == sheet.column[2]


def test_the_largest_region_sets_the_scale() -> None:
    alone, both = new_sheet(SQUARE, CRS, panel=True), new_sheet(SQUARE, CRS, beside=[WIDE])
    assert alone.scale < both.scale
    assert new_sheet(SQUARE, CRS, round_to=1_000_000).scale == 1_000_000


def test_a_box_of_the_page_in_metres() -> None:
    """At 1:1 000 000 a millimetre is a kilometre."""
    sheet = new_sheet(SQUARE, CRS, round_to=1_000_000)
    left, bottom, _, _ = sheet.frame
    part = on_map(sheet.map, sheet.frame, (left + 10, bottom + 20, left + 30, bottom + 25))
    west, south = sheet.map.get_xlim()[0], sheet.map.get_ylim()[0]
    expected = (west + 10_000, south + 20_000, west + 30_000, south + 25_000)
    assert part.bounds == pytest.approx(expected, abs=1)


def test_names_keep_off_what_is_laid_over_the_map() -> None:
    sheet = new_sheet(SQUARE, CRS)
    add_panel(sheet, (200, 50, 250, 100))
    assert sheet.keep_off == [(200, 50, 250, 100)]
    inset = add_inset(sheet, (0, 0, 3000, 3000), title="某", bottom=20, top=100)
    assert inset is not None
    left, _, right, top = sheet.keep_off[1]
    assert (left, right, top) == (sheet.column[0], sheet.column[2], 100)


def test_more_note_and_a_wider_column_leave_less_room() -> None:
    plain = new_sheet(SQUARE, CRS)
    note = new_sheet(SQUARE, CRS, note_rows=6)
    assert note.frame[1] > plain.frame[1]
    wide = new_sheet(SQUARE, CRS, column=100)
    assert wide.column[0] == pytest.approx(plain.column[0] - 34)


@pytest.mark.parametrize(
    "bounds",
    [(0, 0, 0, 10), (0, 10, 10, 10), (0, 0, math.nan, 10), (0, 0, math.inf, 10), (5, 0, 1, 10)],
)
@pytest.mark.parametrize("beside", [False, True])
def test_bounds_that_hold_nothing_are_refused(bounds: tuple[float, ...], beside: bool) -> None:
    with pytest.raises(InputError, match=r"cannot be fitted to the bounds.*Is the layer empty\?"):
        new_sheet(SQUARE if beside else bounds, CRS, beside=[bounds] if beside else ())


def test_an_unknown_page_is_named() -> None:
    with pytest.raises(InputError, match=r"Unknown page 'A5'; known: A4, A3\."):
        new_sheet(SQUARE, CRS, page="A5")
