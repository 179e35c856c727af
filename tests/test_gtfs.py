"""Timetables: services, their headways and times, derived by hand and train by train."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from gtfsfeeds import WEEKDAYS, Reader, Row, calls, clock, line_feed, of, reader, stop, trip

from urbangeo.errors import InputError


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return reader(tmp_path)


def test_departures_within_the_window_make_the_headway(read: Reader) -> None:
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


def test_a_trip_across_the_end_of_the_window_counts_where_it_leaves_within(read: Reader) -> None:
    # leaves A 08:57, B 09:02, C 09:06:30: one departure at one stop, none at the others; the
    # headway is that of the stop that has one
    made = read(line_feed([537]))
    assert of(made, "M1.1", "departures") == [1, 0, 0, 0]
    assert of(made, "M1.1", "boarding") == [True, False, False, False]
    assert of(made, "M1.1", "headway_min") == [120.0] * 4
    # leaves A 06:52, B 06:57, C 07:01:30
    made = read(line_feed([412]))
    assert of(made, "M1.1", "departures") == [0, 0, 1, 0]


def test_a_window_is_half_open(read: Reader) -> None:
    made = read(line_feed([420, 540]))
    assert of(made, "M1.1", "departures")[0] == 1
    with pytest.raises(InputError, match="no train leaves a stop within the window"):
        read(line_feed([420, 540]), start="05:00", end="07:00")


def test_long_lines_have_the_headway_of_their_stops(read: Reader) -> None:
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


def test_times_are_medians_of_the_trips_that_count(read: Reader) -> None:
    def run(name: str, begin: float, minutes: float) -> list[Row]:
        return calls(name, begin, [("A", 0, 0), ("B", minutes, minutes)])

    rows = [*run("t0", 420, 5), *run("t1", 430, 6), *run("t2", 440, 20), *run("t3", 900, 90)]
    made = read(line_feed([], trips=[trip(f"t{n}") for n in range(4)], stop_times=rows))
    assert of(made, "M1.1", "run_min")[1] == 6
    # of two in the middle, their mean
    rows = rows[:4]
    made = read(line_feed([], trips=[trip("t0"), trip("t1")], stop_times=rows))
    assert of(made, "M1.1", "run_min")[1] == 5.5


def test_frequencies_repeat_a_trip(read: Reader) -> None:
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


def test_times_over_24_hours(read: Reader) -> None:
    # leaves A at 22:00 the day before, B at 31:05 = 07:05, D is reached at 33:00
    sleeper = [("A", 0, 0), ("B", 540, 545), ("D", 660, 660)]
    tables = line_feed([], trips=[trip("t0")], stop_times=calls("t0", 1320, sleeper))
    made = read(tables, date="2026-03-04")
    assert of(made, "M1.1", "departures") == [0, 1, 0]
    assert of(made, "M1.1", "run_min")[1:] == [540, 115]
    # on Monday nothing is under way from Sunday
    with pytest.raises(InputError, match="no train leaves a stop within"):
        read(tables, date="2026-03-02")


def test_a_window_over_midnight(read: Reader) -> None:
    # 23:50 of the day, 24:10 of the day, and 00:20 of the day after
    made = read(line_feed([1430, 1450, 20]), date="2026-03-04", start="23:00", end="25:00")
    assert of(made, "M1.1", "departures")[0] == 3
    assert of(made, "M1.1", "headway_min")[0] == 40


def test_patterns_of_a_line_are_services_of_their_own(read: Reader) -> None:
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


def test_stops_without_boarding_do_not_part_a_pattern(read: Reader) -> None:
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


def test_loop_lines_and_stays(read: Reader) -> None:
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


def test_a_run_takes_at_least_a_second(read: Reader) -> None:
    made = read(
        line_feed([], trips=[trip("t0")], stop_times=calls("t0", 420, [("A", 0, 0), ("B", 0, 0)]))
    )
    assert of(made, "M1.1", "run_min")[1] == pytest.approx(1 / 60)
    assert made.report.repaired == {"run_no_time": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"date": "next week"}, "date is 'next week'; a date such as"),
        ({"start": "late"}, "start is 'late'; a time of day such as '07:00'"),
        ({"end": "49:00"}, "end is '49:00'"),
        ({"start": "09:00", "end": "07:00"}, "The window from 09:00 to 07:00 is empty"),
    ],
)
def test_bad_questions(read: Reader, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(line_feed([420]), **options)


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
def test_as_counted_train_by_train(read: Reader, seed: int) -> None:
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
