"""Stations of OpenStreetMap files: which node of which track each of them is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from osmfiles import ROAD, grid, read_drawn

pytest.importorskip("osmium", reason="the extra osm is not installed")


def test_railways_with_their_stations(tmp_path: Path) -> None:
    nodes: dict[int, Any] = dict(grid(5))
    nodes[20] = (107.0201, 27.0005, {"railway": "station", "name": "Guiyang", "name:zh": "贵阳站"})
    nodes[21] = (107.04, 27.0, {"name": "x", "railway": "halt"})
    nodes[22] = (107.2, 27.2, {"railway": "station", "name": "远"})
    nodes[23] = (107.01, 27.0, {"railway": "station", "station": "subway", "name": "地铁"})
    nodes[24] = (107.01, 27.0, {"disused:railway": "station"})
    track = {"railway": "rail", "maxspeed": "250", "name": "沪昆"}
    ways = [
        (1, [1, 2, 3, 4, 5], track),
        (2, [3, 20], track | {"service": "siding"}),
        (3, [1, 2], ROAD),
    ]
    made = read_drawn(tmp_path, nodes, ways)
    rail = made.links[made.links["mode"] == "rail"]
    assert rail["class"].tolist() == ["hsr", "hsr"]
    assert rail["speed_kmh"].tolist() == [250, 250]
    stations = made.nodes[made.nodes["kind"] == "station"]
    assert stations[["id", "name"]].to_numpy().tolist() == [["r3", "贵阳站"], ["r5", "x"]]
    # a level crossing does not join track and road
    assert not set(made.nodes.loc[made.nodes["id"].str.startswith("r"), "id"]) & {"n1"}
    assert made.report.dropped == {"siding": 1, "station_far": 1, "station_no_track": 1}
    assert made.report.snapping["snapped"] == 2
    assert made.report.snapping["unsnapped"] == 2
    # 0.0001° of longitude and 0.0005° of latitude: 9.9 m and 55.4 m, 56.3 m together
    assert made.report.snapping["max_m"] == pytest.approx(56.3, rel=0.01)
    assert read_drawn(tmp_path, nodes, ways, rail=False).report.dropped["rail_unwanted"] == 2


def test_a_station_drawn_as_an_area_is_its_middle(tmp_path: Path) -> None:
    nodes: dict[int, Any] = dict(grid(4))
    nodes |= {10: (107.0199, 27.0), 11: (107.0201, 27.0), 12: (107.0201, 27.001)}
    ways = [
        (1, [1, 2, 3, 4], {"railway": "rail"}),
        (2, [10, 11, 12, 10], {"railway": "station", "name": "龙里站"}),
    ]
    made = read_drawn(tmp_path, nodes, ways)
    stations = made.nodes[made.nodes["kind"] == "station"]
    assert stations[["id", "name"]].to_numpy().tolist() == [["r3", "龙里站"]]
    nodes[13] = (107.02, 27.0, {"railway": "station", "name": "龙里站"})
    twice = read_drawn(tmp_path, nodes, ways)
    assert twice.report.kept["stations"] == 1
    assert twice.report.repaired["station_merged"] == 1


def test_a_metro_of_the_same_name_is_another_station(tmp_path: Path) -> None:
    nodes: dict[int, Any] = dict(grid(4))
    nodes |= {10: (107.0199, 27.0), 11: (107.0201, 27.0), 12: (107.0201, 27.001)}
    nodes[13] = (107.0205, 27.0004, {"railway": "station", "station": "subway", "name": "北站"})
    nodes |= {20: (107.0205, 27.0005), 21: (107.03, 27.0005)}
    ways = [
        (1, [1, 2, 3, 4], {"railway": "rail"}),
        (2, [20, 21], {"railway": "subway"}),
        (3, [10, 11, 12, 10], {"railway": "station", "name": "北站"}),
    ]
    made = read_drawn(tmp_path, nodes, ways)
    stations = made.nodes[made.nodes["kind"] == "station"]
    assert stations[["id", "name"]].to_numpy().tolist() == [["r3", "北站"], ["r20", "北站"]]
    assert "station_merged" not in made.report.repaired


def test_an_area_has_its_twin_in_the_nearest_of_several_namesakes(tmp_path: Path) -> None:
    nodes: dict[int, Any] = dict(grid(5, step=0.05))
    nodes |= {10: (107.0499, 27.0), 11: (107.0501, 27.0), 12: (107.0501, 27.001)}
    nodes[13] = (107.05, 27.0, {"railway": "station", "name": "南站"})
    nodes[14] = (107.2, 27.0, {"railway": "station", "name": "南站"})  # 15 km on
    ways = [
        (1, [1, 2, 3, 4, 5], {"railway": "rail"}),
        (2, [10, 11, 12, 10], {"railway": "station", "name": "南站"}),
    ]
    made = read_drawn(tmp_path, nodes, ways)
    assert made.report.kept["stations"] == 2
    assert made.report.snapping["snapped"] == 2
    assert made.report.repaired == {"station_merged": 1}
