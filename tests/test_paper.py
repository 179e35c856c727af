"""From a map to the page."""

from __future__ import annotations

import pytest
from labelboards import board

from urbangeo.maps.paper import page_box, to_page


def test_the_frame_in_millimetres() -> None:
    assert page_box(board()) == pytest.approx((10, 10, 110, 110))


def test_places_of_the_map_in_millimetres() -> None:
    page = to_page(board(), [(0, 0), (100, 50)])
    assert page.tolist() == [pytest.approx([10, 10]), pytest.approx([110, 60])]
