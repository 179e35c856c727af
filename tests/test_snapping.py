"""Where places get onto a network, on the caller's own table."""

from __future__ import annotations

import geopandas as gpd
import pytest
from grids import square_grid
from shapely.geometry import Point

from urbangeo.access.snapping import snap
from urbangeo.errors import InputError, UnknownNameError


def test_the_callers_table_comes_back_with_the_answer() -> None:
    frame = gpd.GeoDataFrame(
        {"name": ["近", "远"], "status": ["甲", "乙"]},
        geometry=[Point(107.005, 27.001), Point(107.3, 27.3)],
        index=[7, 3],
        crs=4326,
    )
    told = snap(square_grid(3), frame, modes=("road",))
    assert told.index.tolist() == [7, 3]
    assert told["status_given"].tolist() == ["甲", "乙"]
    assert told["status"].tolist() == ["snapped", "too_far"]
    assert told["link"].tolist() == ["0,0-0,1", ""]
    assert told["distance_m"].iloc[0] == pytest.approx(110.8, abs=0.5)
    assert told["reason"].iloc[1].endswith("超过 5 千米")
    assert "status" in frame.columns
    assert "reason" not in frame.columns


def test_wrong_questions() -> None:
    net = square_grid(2)
    with pytest.raises(InputError, match="tolerance_km is -1"):
        snap(net, (107.0, 27.0), tolerance_km=-1)
    with pytest.raises(UnknownNameError, match="ferry"):
        snap(net, (107.0, 27.0), modes=("ferry",))
    with pytest.raises(InputError, match="a Network is expected"):
        snap(2022, (107.0, 27.0))  # type: ignore[arg-type]
