"""Timetables: headways and times derived by hand, repairs counted, bad feeds refused."""

from __future__ import annotations

import datetime as dt
import random
import zipfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gtfsfeeds import (
    LINE,
    WEEKDAYS,
    Row,
    as_csv,
    calls,
    clock,
    line_feed,
    route,
    stop,
    trip,
    write_folder,
    write_zip,
)

from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network import gtfs
from urbangeo.network.gtfs import GtfsTables, read_gtfs

SEVEN = 420


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def made(tables: dict[str, Any], **options: Any) -> GtfsTables:
        return read_gtfs(write_zip(tmp_path / "feed.zip", tables), **options)

    return made


def of(tables: GtfsTables, service: str, column: str) -> list[Any]:
    rows: pd.DataFrame = tables.services[tables.services["service"] == service]
    return list(rows[column])


def test_departures_within_the_window_make_the_headway(read: Any) -> None:
    # 06:40 is gone from C at 06:49:30; 07:00, 07:10, 07:25 and 08:50 leave A, B and C within
    # 07:00 to 09:00 (the last at 08:59:30); 09:05 is too late: 4 in 120 min
    made = read(line_feed([400, 420, 430, 445, 530, 545]))
    assert of(made, "M1.1", "station") == ["A", "B", "C", "D"]
    assert of(made, "M1.1", "headway_min") == [30.0] * 4
    assert of(made, "M1.1", "departures") == [4, 4, 4, 0]
    assert of(made, "M1.1", "boarding") == [True, True, True, False]
    assert of(made, "M1.1", "alighting") == [False, True, True, True]
    assert np.isnan(of(made, "M1.1", "run_min")[0])
    assert of(made, "M1.1", "run_min")[1:] == [4.0, 4.0, 2.5]
    assert of(made, "M1.1", "dwell_min") == [0.0, 1.0, 0.5, 0.0]
    assert of(made, "M1.1", "seq") == [1, 2, 3, 4]
    assert set(made.services["class"]) == {"metro"}
    assert made.services["oneway"].all()
    assert list(made.nodes["id"]) == list("ABCD")
    assert list(made.nodes["kind"]) == ["station"] * 4
    assert made.nodes["lon"].tolist() == pytest.approx([106.0, 106.1, 106.2, 106.3])
    # no date given: Monday the 2nd is not ordinary, Tuesday the 3rd is
    assert made.date == dt.date(2026, 3, 3)
    assert (made.start_min, made.end_min) == (420, 540)


def test_a_trip_across_the_end_of_the_window_counts_where_it_leaves_within(read: Any) -> None:
    # leaves A 08:57, B 09:02, C 09:06:30: one departure at one stop, none at the others; the
    # headway is that of the stop that has one
    made = read(line_feed([537]))
    assert of(made, "M1.1", "departures") == [1, 0, 0, 0]
    assert of(made, "M1.1", "boarding") == [True, False, False, False]
    assert of(made, "M1.1", "headway_min") == [120.0] * 4
    # leaves A 06:52, B 06:57, C 07:01:30
    made = read(line_feed([412]))
    assert of(made, "M1.1", "departures") == [0, 0, 1, 0]


def test_a_window_is_half_open(read: Any) -> None:
    made = read(line_feed([420, 540]))
    assert of(made, "M1.1", "departures")[0] == 1
    with pytest.raises(InputError, match="no train leaves a stop within the window"):
        read(line_feed([420, 540]), start="05:00", end="07:00")


def test_long_lines_have_the_headway_of_their_stops(read: Any) -> None:
    # a train every hour on a line of five hours: two of them leave each stop within two hours
    far = tuple((name, 60.0 * place, 60.0 * place) for place, name in enumerate("ABCDEF"))
    begins = range(0, 1080, 60)
    tables = line_feed(
        [],
        stops=[stop(name, 106.0 + place) for place, name in enumerate("ABCDEF")],
        trips=[trip(f"t{begin}") for begin in begins],
        stop_times=[row for begin in begins for row in calls(f"t{begin}", begin, far)],
    )
    made = read(tables)
    assert of(made, "M1.1", "departures") == [2, 2, 2, 2, 2, 0]
    assert of(made, "M1.1", "headway_min") == [60.0] * 6


def test_times_are_medians_of_the_trips_that_count(read: Any) -> None:
    def run(name: str, begin: float, minutes: float) -> list[Row]:
        return calls(name, begin, [("A", 0, 0), ("B", minutes, minutes)])

    rows = [*run("t0", 420, 5), *run("t1", 430, 6), *run("t2", 440, 20), *run("t3", 900, 90)]
    made = read(line_feed([], trips=[trip(f"t{n}") for n in range(4)], stop_times=rows))
    assert of(made, "M1.1", "run_min")[1] == 6
    # of two in the middle, their mean
    rows = rows[:4]
    made = read(line_feed([], trips=[trip("t0"), trip("t1")], stop_times=rows))
    assert of(made, "M1.1", "run_min")[1] == 5.5


def test_frequencies_repeat_a_trip(read: Any) -> None:
    # every 8 min from 06:00 before 22:00. A: 07:04, 07:12 … 08:56, 15 in the window. B, 5 min
    # later: 07:01, 07:09 … 08:53 and 09:01 no more, 15. C, 9.5 later: 07:05:30 … 08:57:30, 15.
    frequencies = [
        {"trip_id": "t0", "start_time": "06:00:00", "end_time": "22:00:00", "headway_secs": 480}
    ]
    made = read(line_feed([0], frequencies=frequencies))
    assert of(made, "M1.1", "departures") == [15, 15, 15, 0]
    assert of(made, "M1.1", "headway_min") == [8.0] * 4
    # from 06:00 before 07:04: at A only 06:00 + 60 = nothing but 07:00 (07:04 is not before it)
    frequencies[0] |= {"end_time": "07:04:00", "headway_secs": 600}
    made = read(line_feed([0], frequencies=frequencies))
    assert of(made, "M1.1", "departures") == [1, 1, 1, 0]


def test_frequencies_that_make_no_sense_are_counted(read: Any) -> None:
    row = {"trip_id": "t0", "start_time": "06:00:00", "end_time": "22:00:00", "headway_secs": 0}
    made = read(line_feed([420], frequencies=[row, {**row, "trip_id": "other"}]))
    assert of(made, "M1.1", "departures") == [1, 1, 1, 0]
    assert made.report.dropped == {
        "frequency_senseless": 1,
        "frequency_trip_unknown": 1,
    }


def test_times_over_24_hours(read: Any) -> None:
    # leaves A at 22:00 the day before, B at 31:05 = 07:05, D is reached at 33:00
    sleeper = [("A", 0, 0), ("B", 540, 545), ("D", 660, 660)]
    tables = line_feed([], trips=[trip("t0")], stop_times=calls("t0", 1320, sleeper))
    made = read(tables, date="2026-03-04")
    assert of(made, "M1.1", "departures") == [0, 1, 0]
    assert of(made, "M1.1", "run_min")[1:] == [540, 115]
    # on Monday nothing is under way from Sunday
    with pytest.raises(InputError, match="no train leaves a stop within"):
        read(tables, date="2026-03-02")


def test_a_window_over_midnight(read: Any) -> None:
    # 23:50 of the day, 24:10 of the day, and 00:20 of the day after
    made = read(line_feed([1430, 1450, 20]), date="2026-03-04", start="23:00", end="25:00")
    assert of(made, "M1.1", "departures")[0] == 3
    assert of(made, "M1.1", "headway_min")[0] == 40


def test_patterns_of_a_line_are_services_of_their_own(read: Any) -> None:
    back = (("D", 0, 0), ("C", 3, 3), ("B", 7, 7), ("A", 11, 11))
    short = (("A", 0, 0), ("B", 4, 5), ("C", 9, 9))
    tables = line_feed([420, 450])
    tables["trips"] += [
        trip("r0", direction_id=1),
        trip("s0", direction_id=0),
        trip("late", direction_id=0),
    ]
    for row in tables["trips"][:2]:
        row["direction_id"] = 0
    tables["stop_times"] += calls("r0", 425, back) + calls("s0", 430, short)
    tables["stop_times"] += calls("late", 1000, [("A", 0, 0), ("D", 9, 9)])
    made = read(tables)
    assert list(dict.fromkeys(made.services["service"])) == ["M1.1", "M1.2", "M1.3"]
    by = {
        name: (rows["direction"].iloc[0], "".join(rows["station"]), rows["headway_min"].iloc[0])
        for name, rows in made.services.groupby("service")
    }
    assert by == {
        "M1.1": ("0", "ABCD", 60.0),
        "M1.2": ("0", "ABC", 120.0),
        "M1.3": ("1", "DCBA", 120.0),
    }
    assert made.report.dropped == {"service_outside_window": 1}


def test_platforms_are_one_station(read: Any) -> None:
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


def test_stops_without_boarding_do_not_part_a_pattern(read: Any) -> None:
    tables = line_feed([420, 450])
    # t0 only sets down at B, and neither picks up nor sets down at C; t1 does at all
    tables["stop_times"][1]["pickup_type"] = 1
    made = read(tables)
    assert of(made, "M1.1", "departures") == [2, 1, 2, 0]
    assert of(made, "M1.1", "headway_min") == [60.0] * 4  # the median of 2, 1, 2 is 2
    tables["stop_times"][2] |= {"pickup_type": 1, "drop_off_type": 1}
    made = read(tables)
    # without C it is another pattern: 4 min, 1 min, and 7.0 from B (07:05) to D (07:12)
    assert of(made, "M1.1", "station") == ["A", "B", "D"]
    assert of(made, "M1.1", "run_min")[1:] == [4.0, 7.0]
    assert of(made, "M1.1", "boarding") == [True, False, False]
    assert of(made, "M1.2", "station") == ["A", "B", "C", "D"]
    assert made.report.dropped == {"call_no_passengers": 1}


def test_loop_lines_and_stays(read: Any) -> None:
    ring = [("A", 0, 0), ("B", 5, 5), ("C", 10, 10), ("A", 15, 15)]
    made = read(line_feed([], trips=[trip("t0")], stop_times=calls("t0", 420, ring)))
    assert of(made, "M1.1", "station") == ["A", "B", "C", "A"]
    assert made.report.noted == {"service_twice_at_station": 1}
    assert made.examples == {"service_twice_at_station": "M1.1"}
    # two calls running at one station are one stay, from 4 to 8 minutes
    stay = [("A", 0, 0), ("B", 4, 5), ("B", 7, 8), ("C", 12, 12)]
    made = read(line_feed([], trips=[trip("t0")], stop_times=calls("t0", 420, stay)))
    assert of(made, "M1.1", "station") == ["A", "B", "C"]
    assert of(made, "M1.1", "dwell_min") == [0, 4, 0]
    assert of(made, "M1.1", "run_min")[1:] == [4, 4]


def test_missing_times_are_interpolated(read: Any) -> None:
    tables = line_feed([420])
    for row in tables["stop_times"][1:3]:
        row["arrival_time"] = row["departure_time"] = ""
    # A, B, C, D lie evenly on one parallel: a third of 12 minutes each
    made = read(tables)
    assert of(made, "M1.1", "run_min")[1:] == pytest.approx([4, 4, 4])
    assert of(made, "M1.1", "dwell_min") == [0, 0, 0, 0]
    assert made.report.repaired == {"call_interpolated": 2}
    # with distances stated: 1, 3 and 4 of 4
    for row, distance in zip(tables["stop_times"], [0, 1, 3, 4], strict=True):
        row["shape_dist_traveled"] = distance
    made = read(tables)
    assert of(made, "M1.1", "run_min")[1:] == pytest.approx([3, 6, 3], rel=1e-3)
    # distances that go back are not used
    tables["stop_times"][2]["shape_dist_traveled"] = 0.5
    assert of(read(tables), "M1.1", "run_min")[1:] == pytest.approx([4, 4, 4])


def test_stops_of_one_place_share_the_time_evenly(read: Any) -> None:
    tables = line_feed([420], stops=[stop(name, 106.0) for name in "ABCD"])
    for row in tables["stop_times"][1:3]:
        row["arrival_time"] = row["departure_time"] = ""
    assert of(read(tables), "M1.1", "run_min")[1:] == pytest.approx([4, 4, 4])


def test_one_time_stands_for_both(read: Any) -> None:
    tables = line_feed([420])
    tables["stop_times"][0]["arrival_time"] = ""
    tables["stop_times"][1]["departure_time"] = ""
    made = read(tables)
    assert of(made, "M1.1", "run_min")[1:] == [4, 5, 2.5]
    assert made.report.repaired == {"call_one_time": 2}


def test_a_run_takes_at_least_a_second(read: Any) -> None:
    made = read(
        line_feed([], trips=[trip("t0")], stop_times=calls("t0", 420, [("A", 0, 0), ("B", 0, 0)]))
    )
    assert of(made, "M1.1", "run_min")[1] == pytest.approx(1 / 60)
    assert made.report.repaired == {"run_no_time": 1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"arrival_time": "-01:00:00"}, "trip_time_unreadable"),
        ({"arrival_time": "soon"}, "trip_time_unreadable"),
        ({"arrival_time": "07:61:00"}, "trip_time_unreadable"),
        ({"departure_time": "07:03:00"}, "trip_time_backwards"),  # arrives at 07:04
        ({"arrival_time": "06:59:00"}, "trip_time_backwards"),  # leaves A at 07:00
        ({"stop_sequence": 1}, "trip_sequence_repeated"),
        ({"stop_sequence": "two"}, "trip_sequence_unreadable"),
    ],
)
def test_trips_that_cannot_be_are_counted(read: Any, change: Row, why: str) -> None:
    tables = line_feed([420, 450])
    tables["stop_times"][1] |= change
    made = read(tables)
    assert of(made, "M1.1", "headway_min") == [120.0] * 4
    assert made.report.dropped == {why: 1}


def test_trips_without_an_end_or_a_route_are_counted(read: Any) -> None:
    tables = line_feed([420, 430, 440, 450, 460, 470])
    rows = tables["stop_times"]
    rows[0]["arrival_time"] = rows[0]["departure_time"] = ""  # t0 begins nowhere
    rows[4]["stop_id"] = "gone"  # t1 begins at B
    rows = [row for row in rows if row["trip_id"] != "t2" or row["stop_id"] == "A"]
    tables["stop_times"] = [*rows, *calls("other", 420, LINE)]
    tables["trips"][3]["route_id"] = "gone"
    tables["trips"][4]["service_id"] = "gone"
    made = read(tables)
    assert made.report.dropped == {
        "trip_time_missing": 1,
        "trip_one_stop": 1,
        "trip_route_unknown": 1,
        "trip_calendar_unknown": 1,
        "call_trip_unknown": 4,
        "call_stop_unknown": 1,
    }
    assert {name: "".join(rows["station"]) for name, rows in made.services.groupby("service")} == {
        "M1.1": "BCD",
        "M1.2": "ABCD",
    }


def test_stops_without_a_position_are_passed_through(read: Any) -> None:
    tables = line_feed([420])
    tables["stops"][1] |= {"stop_lat": "", "stop_lon": ""}
    tables["stops"][2] |= {"stop_lat": 0, "stop_lon": 0}
    made = read(tables)
    assert of(made, "M1.1", "station") == ["A", "D"]
    assert of(made, "M1.1", "run_min")[1] == 12
    assert made.report.dropped == {"call_stop_nowhere": 2}
    assert made.report.repaired == {"stop_at_zero": 1}


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (0, "1", "metro"),
        (1, "1", "metro"),
        (2, "G1234", "hsr"),
        (2, "D2801", "hsr"),
        (2, "C6012", "intercity"),
        (2, "K1208", "conventional"),
        (2, "5630", "conventional"),
        (2, "沪昆高铁", "hsr"),
        (2, "贵开城际", "intercity"),
        (2, "S1", "suburban"),
        (2, "C1", "conventional"),  # not a Chinese train number: those have four digits
        (2, "Glacier Express", "conventional"),
        (100, "G7", "hsr"),
        (101, "ICE", "hsr"),
        (102, "IC 1", "conventional"),
        (109, "S1", "suburban"),
        (401, "U1", "metro"),
        (900, "9", "metro"),
    ],
)
def test_classes(read: Any, kind: int, name: str, expected: str) -> None:
    made = read(line_feed([420], routes=[route(kind=kind, route_short_name=name)]))
    assert set(made.services["class"]) == {expected}
    assert set(made.services["name"]) == {name}


def test_buses_are_left_out_unless_they_are_given_a_class(read: Any) -> None:
    tables = line_feed([420, 430], routes=[route(), route("bus", 3), route("odd", 0)])
    tables["routes"][2]["route_type"] = "tram"
    tables["trips"][1]["route_id"] = "bus"
    made = read(tables)
    assert set(made.services["route"]) == {"M1"}
    assert made.report.dropped == {
        "route_type_3": 1,
        "route_type_unreadable": 1,
        "trip_route_dropped": 1,
    }
    assert made.examples["route_type_unreadable"] == "odd"
    made = read(tables, classes={3: "suburban", 1: None})
    assert set(made.services["class"]) == {"suburban"}
    with pytest.raises(UnknownNameError, match="Unknown class of rail 'bus'"):
        read(tables, classes={3: "bus"})
    with pytest.raises(InputError, match="a route_type, such as 3 for buses, is expected"):
        read(tables, classes={"3": "suburban"})
    with pytest.raises(InputError, match=r"types are 3\. Say what they shall be"):
        read(line_feed([420], routes=[route(kind=3)]))


def test_the_date_is_the_first_ordinary_one_with_most_trips(read: Any) -> None:
    tables = line_feed([420, 430, 440])
    # t2 runs on Thursday the 12th and Friday the 6th only; the 11th is a holiday
    tables["trips"][2]["service_id"] = "extra"
    tables["calendar_dates"] = [
        {"service_id": "extra", "date": "20260312", "exception_type": 1},
        {"service_id": "extra", "date": "20260306", "exception_type": 1},
        {"service_id": "W", "date": "20260311", "exception_type": 2},
    ]
    made = read(tables)
    assert made.date == dt.date(2026, 3, 12)
    assert made.report.source == (
        "feed.zip，2026-03-12 星期四 07:00–09:00（未指定日期，取列车最多的首个平常工作日）"
    )
    assert of(made, "M1.1", "headway_min")[0] == 40
    assert of(read(tables, date="2026-03-06"), "M1.1", "headway_min")[0] == 40
    assert of(read(tables, date=dt.datetime(2026, 3, 10, 8)), "M1.1", "headway_min")[0] == 60  # noqa: DTZ001
    expected = r"2026-03-11 \(Wednesday\); the feed has trips from 2026-03-02 to 2026-03-27"
    with pytest.raises(InputError, match=expected):
        read(tables, date=dt.date(2026, 3, 11))
    with pytest.raises(InputError, match="from 2026-03-02 to 2026-03-27"):
        read(tables, date="2025-01-01")


def test_a_feed_of_weekends_only(read: Any) -> None:
    tables = line_feed([420], calendar=[])
    tables["calendar_dates"] = [{"service_id": "W", "date": "20260307", "exception_type": 1}]
    assert read(tables).date == dt.date(2026, 3, 7)


def test_a_calendar_of_ten_thousand_years_is_no_trouble(read: Any) -> None:
    tables = line_feed([420])
    tables["calendar"][0] |= {"start_date": "00010101", "end_date": "99991231"}
    assert read(tables).date == dt.date(1, 1, 2)  # 0001-01-01 was a Monday


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"date": "next week"}, "date is 'next week'; a date such as"),
        ({"start": "late"}, "start is 'late'; a time of day such as '07:00'"),
        ({"end": "49:00"}, "end is '49:00'"),
        ({"start": "09:00", "end": "07:00"}, "The window from 09:00 to 07:00 is empty"),
    ],
)
def test_bad_questions(read: Any, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(line_feed([420]), **options)


def refused(read: Any, tables: dict[str, Any]) -> str:
    with pytest.raises(TableError) as caught:
        read(tables)
    return str(caught.value)


def test_missing_files_and_columns(read: Any) -> None:
    tables = line_feed([420], calendar=[], routes=[])
    said = refused(read, tables)
    assert "routes.txt is missing" in said
    assert "calendar.txt or calendar_dates.txt is missing" in said
    tables = line_feed([420], trips=[{"trip_id": "t0", "service_id": "W"}])
    assert (
        "trips.txt: 1 finding(s), nothing was read:\n  - column 'route_id' is missing"
        in refused(read, tables)
    )
    assert "it has no header" in refused(read, {**line_feed([420]), "frequencies": "\n"})
    assert "it holds no call" in refused(
        read,
        {
            **line_feed([420]),
            "stop_times": as_csv(
                [
                    dict.fromkeys(("trip_id", "stop_id", "stop_sequence", "arrival_time"), "")
                    | {"departure_time": ""}
                ]
            ),
        },
    )


def test_ids_that_repeat(read: Any) -> None:
    tables = line_feed([420])
    tables["stops"] += [dict(tables["stops"][0])]
    made = read(tables)
    assert made.report.repaired == {"rows_repeated": 1}
    tables["stops"] += [stop("B", 110.0)]
    assert "stops.txt: 1 finding(s), nothing was read:\n  - stop_id 'B' stands in two rows" in (
        refused(read, tables)
    )
    tables = line_feed([420])
    tables["trips"] += [trip("t0", calendar="other"), trip("")]
    said = refused(read, tables)
    assert "trip_id 't0' stands in two rows that differ" in said
    assert "a row has no trip_id" in said


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
def test_positions(read: Any, lon: Any, lat: Any, said: str) -> None:
    tables = line_feed([420])
    tables["stops"][0] |= {"stop_lon": lon, "stop_lat": lat}
    assert said in refused(read, tables)


def test_bad_dates_and_days(read: Any) -> None:
    tables = line_feed([420])
    tables["calendar"][0] |= {"end_date": "2026-03-27", "start_date": "20260230"}
    assert "start_date is '20260230'; a date such as 20260304" in refused(read, tables)
    tables = line_feed([420])
    tables["calendar"][0] |= {"monday": "yes"}
    assert "service 'W': monday is 'yes'; 0 or 1 is expected" in refused(read, tables)
    tables = line_feed([420])
    tables["calendar_dates"] = [{"service_id": "W", "date": "20260304", "exception_type": 3}]
    assert "exception_type is '3'; 1 or 2 is expected" in refused(read, tables)


def test_parents_that_lead_nowhere(read: Any) -> None:
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


def test_a_folder_reads_as_its_zip(read: Any, tmp_path: Path) -> None:
    tables = line_feed([420, 440])
    zipped, folder = read(tables), read_gtfs(write_folder(tmp_path / "feed", tables))
    same = [column for column in zipped.services if column != "source"]
    pd.testing.assert_frame_equal(zipped.services[same], folder.services[same])


def test_a_feed_in_a_folder_of_its_archive(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in line_feed([420]).items():
            archive.writestr(f"guiyang/{name}.txt", "\ufeff" + as_csv(rows).replace(",", " , "))
            archive.writestr(f"__MACOSX/guiyang/{name}.txt", "nothing")
        archive.writestr("guiyang/shapes.txt", "not read")
    assert of(read_gtfs(path), "M1.1", "station") == list("ABCD")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("zunyi/stops.txt", "x")
    with pytest.raises(InputError, match=r"has two files stops\.txt: 'guiyang/stops\.txt' and"):
        read_gtfs(path)


@pytest.mark.parametrize(
    "name", ["../stops.txt", "/etc/stops.txt", "a/../../x", "..\\stops.txt", "C:\\stops.txt"]
)
def test_members_that_lead_outside(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "feed.zip", line_feed([420]))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InputError, match="which leads outside the archive"):
        read_gtfs(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_feed_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {**line_feed([420]), "frequencies": "trip_id,start_time,end_time,headway_secs\n" * 999}
    path = write_zip(tmp_path / "feed.zip", tables)
    monkeypatch.setattr(gtfs, "LARGEST_FEED", 40_000)
    expected = r"unpacks to 0\.0 GB, of which frequencies\.txt 0\.0 GB; at most 0\.0 GB are read"
    with pytest.raises(InputError, match=expected):
        read_gtfs(path)


def test_a_feed_that_lies_about_its_size(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "feed.zip", line_feed([420]))
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("stops.txt")
    data = bytearray(path.read_bytes())
    # the size stands in the central directory, 24 bytes into the entry that ends with the name
    entry = data.rindex(b"stops.txt") - 46
    assert data[entry + 24 : entry + 28] == member.file_size.to_bytes(4, "little")
    data[entry + 24 : entry + 28] = (40).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"is damaged: stops\.txt: Bad CRC-32"):
        read_gtfs(path)


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with pytest.raises(InputError, match="There is no GTFS feed"):
        read_gtfs(path)
    path.write_text("<html>404</html>")
    with pytest.raises(InputError, match="is not a zip archive, or only a part of one"):
        read_gtfs(path)
    whole = write_zip(path, line_feed(list(range(420, 520)))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="or only a part of one"):
        read_gtfs(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("stops.txt", "x")
    with pytest.raises(InputError, match="not packed with deflate"):
        read_gtfs(path)
    # a bit turned within the data
    where = whole.index(b"stop_times.txt") + 200
    path.write_bytes(whole[:where] + bytes([whole[where] ^ 255]) + whole[where + 1 :])
    with pytest.raises(InputError, match="is damaged"):
        read_gtfs(path)


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in line_feed([420]).items():
            archive.writestr(f"{name}.txt", as_csv(rows).replace("A", "贵阳").encode("gb18030"))
    with pytest.raises(TableError, match=r"stops\.txt: .*\n  - not UTF-8"):
        read_gtfs(path)


def test_rows_with_too_many_fields(read: Any) -> None:
    tables: dict[str, Any] = line_feed([420])
    tables["stops"] = as_csv(tables["stops"]).replace("A站", "A,站")
    assert "stops.txt" in refused(read, tables)


def test_ids_are_text(read: Any) -> None:
    tables = line_feed(
        [],
        stops=[stop("007", 106.0), stop("7", 106.1), stop("1.0", 106.2), stop("NA", 106.3)],
        trips=[trip("01"), trip("1")],
        stop_times=[
            *calls("01", 420, [("007", 0, 0), ("7", 4, 4), ("1.0", 8, 8), ("NA", 9, 9)]),
            *calls("1", 440, [("007", 0, 0), ("7", 4, 4)]),
        ],
    )
    made = read(tables)
    assert of(made, "M1.1", "station") == ["007", "7", "1.0", "NA"]
    assert of(made, "M1.2", "station") == ["007", "7"]


def test_the_rows_may_stand_in_any_order(read: Any) -> None:
    tables = line_feed([420, 440])
    one = read(tables)
    for name in ("stop_times", "stops"):
        tables[name] = tables[name][::-1]
    pd.testing.assert_frame_equal(one.services, read(tables).services)


def test_large_feeds_are_read_in_parts(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = line_feed([420, 440])
    whole = read(tables)
    monkeypatch.setattr(gtfs, "_CHUNK", 3)
    pd.testing.assert_frame_equal(whole.services, read(tables).services)


def test_the_source_names_the_feed(read: Any) -> None:
    info = [{"feed_publisher_name": "贵阳地铁", "feed_version": "3"}]
    made = read(line_feed([420], feed_info=info))
    assert set(made.services["source"]) == {"GTFS feed.zip 贵阳地铁 3"}
    assert set(made.nodes["source"]) == {"GTFS feed.zip 贵阳地铁 3"}


def test_clock() -> None:
    assert clock(420) == "07:00:00"
    assert clock(1505.5) == "25:05:30"


def in_seconds(text: str) -> int:
    hours, minutes, seconds = map(int, text.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def by_hand(tables: dict[str, list[Row]], day: dt.date, begin: int, end: int) -> list[Any]:
    """Go through every train of every day that may matter, one by one."""

    def runs(service: str, on: dt.date) -> bool:
        known = {row["service_id"]: row for row in tables["calendar"]}
        return day.month == on.month and bool(known[service][WEEKDAYS[on.weekday()]])

    found: dict[Any, tuple[list[int], list[list[float]]]] = {}
    for one in tables["trips"]:
        rows = [row for row in tables["stop_times"] if row["trip_id"] == one["trip_id"]]
        first = in_seconds(rows[0]["departure_time"])
        late = [
            start - first
            for row in tables["frequencies"]
            if row["trip_id"] == one["trip_id"]
            for start in range(
                in_seconds(row["start_time"]), in_seconds(row["end_time"]), row["headway_secs"]
            )
        ]
        trains = [
            shift - 86400 * back
            for back in range(-1, 4)
            if runs(one["service_id"], day - dt.timedelta(days=back))
            for shift in late or [0]
        ]
        seen = [
            sum(begin <= in_seconds(row["departure_time"]) + shift < end for shift in trains)
            if "pickup_type" not in row and row is not rows[-1]
            else 0
            for row in rows
        ]
        key = (str(one["direction_id"]), "".join(row["stop_id"] for row in rows))
        counts, times = found.setdefault(key, ([0] * len(rows), []))
        counts[:] = [a + b for a, b in zip(counts, seen, strict=True)]
        times += max(seen) * [
            [
                (in_seconds(b["arrival_time"]) - in_seconds(a["departure_time"])) / 60
                for a, b in pairwise(rows)
            ]
        ]
    return sorted(
        (*key, counts, (end - begin) / 60 / median(one for one in counts if one), [*run])
        for key, (counts, times) in found.items()
        if any(counts)
        for run in [map(median, zip(*times, strict=True))]
    )


@pytest.mark.parametrize("seed", range(8))
def test_as_counted_train_by_train(read: Any, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    tables = line_feed([], stops=[stop(name, 106.0 + n / 10) for n, name in enumerate("ABCDEF")])
    tables["frequencies"] = []
    tables["calendar"] = [
        {
            **tables["calendar"][0],
            "service_id": name,
            **{day: chance.choice([0, 1, 1]) for day in WEEKDAYS},
        }
        for name in "WX"
    ]
    tables["calendar"][0]["wednesday"] = 1
    for number in range(60):
        key = f"t{number}"
        tables["trips"].append(trip(key, calendar=chance.choice("WX"), direction_id=number % 2))
        names = chance.choice(["ABCD", "ABCD", "ACE", "FEDCBA"])
        now, way = 0.0, []
        for name in names:
            arrives = now + chance.randint(1, 40)
            now = arrives + chance.randint(0, 5) / 2
            way.append((name, arrives, now))
        rows = calls(key, chance.randint(0, 2700), way)
        for row in rows:
            if chance.random() < 0.15:
                row["pickup_type"] = 1
        tables["stop_times"] += rows
        if chance.random() < 0.3:
            tables["frequencies"].append(
                {
                    "trip_id": key,
                    "start_time": clock(chance.randint(300, 500)),
                    "end_time": clock(chance.randint(501, 700)),
                    "headway_secs": chance.choice([300, 477, 900]),
                }
            )
    begin, end = chance.choice([(7, 9), (6, 12), (22, 26)])
    made = read(tables, date="2026-03-11", start=f"{begin:02}:00", end=f"{end:02}:00")
    found = sorted(
        (
            rows["direction"].iloc[0],
            "".join(rows["station"]),
            rows["departures"].tolist(),
            rows["headway_min"].iloc[0],
            rows["run_min"].tolist()[1:],
        )
        for _, rows in made.services.groupby("service")
    )
    expected = by_hand(tables, dt.date(2026, 3, 11), begin * 3600, end * 3600)
    assert len(expected) > 2
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[3] == pytest.approx(other[3])
        assert one[4] == pytest.approx(other[4])
