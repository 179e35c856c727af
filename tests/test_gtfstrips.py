"""Trips of GTFS feeds: classes, calendars, and calls that are left out or filled in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from gtfsfeeds import LINE, Reader, Row, calls, line_feed, of, reader, refused, route, stop

from urbangeo.errors import InputError, UnknownNameError


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


def test_frequencies_that_make_no_sense_are_counted(read: Reader) -> None:
    row = {"trip_id": "t0", "start_time": "06:00:00", "end_time": "22:00:00", "headway_secs": 0}
    made = read(line_feed([420], frequencies=[row, {**row, "trip_id": "other"}]))
    assert of(made, "M1.1", "departures") == [1, 1, 1, 0]
    assert made.report.dropped == {
        "frequency_senseless": 1,
        "frequency_trip_unknown": 1,
    }


def test_missing_times_are_interpolated(read: Reader) -> None:
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


def test_stops_of_one_place_share_the_time_evenly(read: Reader) -> None:
    tables = line_feed([420], stops=[stop(name, 106.0) for name in "ABCD"])
    for row in tables["stop_times"][1:3]:
        row["arrival_time"] = row["departure_time"] = ""
    assert of(read(tables), "M1.1", "run_min")[1:] == pytest.approx([4, 4, 4])


def test_one_time_stands_for_both(read: Reader) -> None:
    tables = line_feed([420])
    tables["stop_times"][0]["arrival_time"] = ""
    tables["stop_times"][1]["departure_time"] = ""
    made = read(tables)
    assert of(made, "M1.1", "run_min")[1:] == [4, 5, 2.5]
    assert made.report.repaired == {"call_one_time": 2}


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
def test_trips_that_cannot_be_are_counted(read: Reader, change: Row, why: str) -> None:
    tables = line_feed([420, 450])
    tables["stop_times"][1] |= change
    made = read(tables)
    assert of(made, "M1.1", "headway_min") == [120.0] * 4
    assert made.report.dropped == {why: 1}


def test_trips_without_an_end_or_a_route_are_counted(read: Reader) -> None:
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


def test_stops_without_a_position_are_passed_through(read: Reader) -> None:
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
def test_classes(read: Reader, kind: int, name: str, expected: str) -> None:
    made = read(line_feed([420], routes=[route(kind=kind, route_short_name=name)]))
    assert set(made.services["class"]) == {expected}
    assert set(made.services["name"]) == {name}


def test_buses_are_left_out_unless_they_are_given_a_class(read: Reader) -> None:
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


def test_the_date_is_the_first_ordinary_one_with_most_trips(read: Reader) -> None:
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


def test_a_feed_of_weekends_only(read: Reader) -> None:
    tables = line_feed([420], calendar=[])
    tables["calendar_dates"] = [{"service_id": "W", "date": "20260307", "exception_type": 1}]
    assert read(tables).date == dt.date(2026, 3, 7)


def test_a_calendar_of_ten_thousand_years_is_no_trouble(read: Reader) -> None:
    tables = line_feed([420])
    tables["calendar"][0] |= {"start_date": "00010101", "end_date": "99991231"}
    assert read(tables).date == dt.date(1, 1, 2)  # 0001-01-01 was a Monday


def test_bad_dates_and_days(read: Reader) -> None:
    tables = line_feed([420])
    tables["calendar"][0] |= {"end_date": "2026-03-27", "start_date": "20260230"}
    assert "start_date is '20260230'; a date such as 20260304" in refused(read, tables)
    tables = line_feed([420])
    tables["calendar"][0] |= {"monday": "yes"}
    assert "service 'W': monday is 'yes'; 0 or 1 is expected" in refused(read, tables)
    tables = line_feed([420])
    tables["calendar_dates"] = [{"service_id": "W", "date": "20260304", "exception_type": 3}]
    assert "exception_type is '3'; 1 or 2 is expected" in refused(read, tables)


def test_the_rows_may_stand_in_any_order(read: Reader) -> None:
    tables = line_feed([420, 440])
    one = read(tables)
    for name in ("stop_times", "stops"):
        tables[name] = tables[name][::-1]
    pd.testing.assert_frame_equal(one.services, read(tables).services)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("stops", {"stop_lat": "", "stop_lon": ""}),
        ("stop_times", {"pickup_type": 1, "drop_off_type": 1}),
        ("stop_times", {"stop_id": "gone"}),
    ],
)
def test_frequencies_count_from_where_the_trip_sets_out(
    read: Reader, table: str, change: Row
) -> None:
    # every 10 min from 06:55 before 07:00, so once: leaves A at 06:55, B at 07:00, C at 07:04:30
    row = {"trip_id": "t0", "start_time": "06:55:00", "end_time": "07:00:00", "headway_secs": 600}
    tables = line_feed([0], frequencies=[row])
    made = read(tables)
    assert of(made, "M1.1", "departures") == [0, 1, 1, 0]
    tables[table][0] |= change  # and passengers cannot use A
    made = read(tables)
    assert of(made, "M1.1", "station") == ["B", "C", "D"]
    assert of(made, "M1.1", "departures") == [1, 1, 0]


def test_a_feed_of_which_no_trip_can_be_used(read: Reader) -> None:
    tables = line_feed([420, 430])
    for row in tables["stop_times"]:
        row["arrival_time"] = "soon"
    with pytest.raises(InputError, match="no trip on the date has two stops that can be used"):
        read(tables)
