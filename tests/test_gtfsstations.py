"""Stations of GTFS feeds: platforms and parents, positions, times to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gtfsfeeds import Reader, calls, line_feed, of, reader, refused, stop, trip


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


def test_platforms_are_one_station(read: Reader) -> None:
    stops = [
        stop("S", 106.0, location_type=1),
        stop("S1", 106.001, parent_station="S", location_type=0),
        stop("S2", 106.002, parent_station="S"),
        stop("S2x", 106.002, parent_station="S2", location_type=4),
        # without a position of its own: amid its stops
        {"stop_id": "T", "stop_name": "T站", "location_type": 1},
        stop("T1", 106.2, 26.0, parent_station="T"),
        stop("T2", 106.4, 26.2, parent_station="T"),
        stop("door", 107.0, location_type=2, parent_station="T"),
    ]
    rows = calls("t0", 420, [("S1", 0, 0), ("T1", 10, 10)])
    rows += calls("t1", 450, [("S2x", 0, 0), ("T2", 10, 10)])
    transfers = [
        {"from_stop_id": a, "to_stop_id": b, "transfer_type": kind, "min_transfer_time": time}
        for a, b, kind, time in [
            ("S1", "S2", 2, 120),
            ("S2", "S1", 2, 240),
            ("T", "T", 2, 60),
            ("T1", "T2", 2, 600),  # the station's own row goes first
            ("S1", "T1", 2, 900),
            ("S1", "S1", 0, ""),
            ("S1", "gone", 2, 60),
        ]
    ]
    trips = [trip("t0"), trip("t1")]
    made = read(line_feed([], stops=stops, trips=trips, stop_times=rows, transfers=transfers))
    assert list(made.nodes["id"]) == ["S", "T"]
    assert made.nodes["lon"].tolist() == pytest.approx([106.0, 106.3])
    assert made.nodes["lat"].tolist() == pytest.approx([26.6, 26.1])
    assert of(made, "M1.1", "station") == ["S", "T"]
    assert of(made, "M1.1", "headway_min") == [60, 60]
    assert made.transfers.to_dict("list") == {"station": ["S", "T"], "minutes": [4.0, 1.0]}
    assert made.report.dropped == {
        "transfer_between_stations": 1,
        "transfer_untimed": 1,
        "transfer_stop_unknown": 1,
    }
    assert made.report.repaired == {"station_amid_stops": 1}


@pytest.mark.parametrize(
    ("lon", "lat", "said"),
    [
        (26.6, 106.0, "stop 'A': longitude '26.6', latitude '106.0' look swapped"),
        (43.8, 87.6, "look swapped"),  # Ürümqi
        (500, 10, "are not degrees on the Earth"),
        ("east", 10, "stop 'A': longitude 'east', latitude '10' are not numbers"),
        ("inf", 10, "are not numbers"),
    ],
)
def test_positions(read: Reader, lon: Any, lat: Any, said: str) -> None:
    tables = line_feed([420])
    tables["stops"][0] |= {"stop_lon": lon, "stop_lat": lat}
    assert said in refused(read, tables)


def test_parents_that_lead_nowhere(read: Reader) -> None:
    tables = line_feed([420])
    tables["stops"][0]["parent_station"] = "gone"
    tables["stops"][1]["parent_station"] = "C"
    tables["stops"][2]["parent_station"] = "B"
    made = read(tables)
    assert of(made, "M1.1", "station") == ["A", "B", "C", "D"]
    assert made.report.repaired == {
        "stop_parent_unknown": 1,
        "stop_parents_endless": 2,
    }
