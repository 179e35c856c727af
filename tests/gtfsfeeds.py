"""Small GTFS feeds, written and read: one line of four stations, and what the tests change."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from urbangeo.errors import TableError
from urbangeo.network.gtfs import GtfsTables, read_gtfs

Row = dict[str, Any]
Reader = Callable[..., GtfsTables]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORKDAYS = dict.fromkeys(WEEKDAYS[:5], 1)


def clock(minutes: float) -> str:
    """Write minutes since midnight as a feed does."""
    seconds = round(minutes * 60)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def stop(key: str, lon: float, lat: float = 26.6, **more: Any) -> Row:
    """Make a row of stops.txt."""
    return {"stop_id": key, "stop_name": f"{key}站", "stop_lat": lat, "stop_lon": lon, **more}


def route(key: str = "M1", kind: int = 1, **more: Any) -> Row:
    """Make a row of routes.txt, a metro unless told otherwise."""
    return {"route_id": key, "route_type": kind, "route_short_name": key, **more}


def trip(key: str, line: str = "M1", calendar: str = "W", **more: Any) -> Row:
    """Make a row of trips.txt."""
    return {"trip_id": key, "route_id": line, "service_id": calendar, **more}


def calls(key: str, begin: float, stops: Iterable[tuple[str, float, float]]) -> list[Row]:
    """Make the rows of stop_times.txt: stop, arrival and departure in minutes after ``begin``."""
    return [
        {
            "trip_id": key,
            "stop_sequence": place,
            "stop_id": name,
            "arrival_time": clock(begin + arrival),
            "departure_time": clock(begin + departure),
        }
        for place, (name, arrival, departure) in enumerate(stops, 1)
    ]


LINE = (("A", 0, 0), ("B", 4, 5), ("C", 9, 9.5), ("D", 12, 12))
"""4 min to B, a minute's dwell, 4 to C, half a minute's dwell, 2.5 to D."""


def line_feed(begins: Sequence[float], **tables: list[Row]) -> dict[str, list[Row]]:
    """Make the tables of a line that leaves A at ``begins``, minutes since midnight.

    It runs on workdays from Monday 2026-03-02 to Friday 2026-03-27.
    """
    names = [f"t{number}" for number in range(len(begins))]
    made = {
        "stops": [stop(name, 106.0 + place / 10) for place, name in enumerate("ABCD")],
        "routes": [route()],
        "trips": [trip(name) for name in names],
        "stop_times": [
            row
            for name, begin in zip(names, begins, strict=True)
            for row in calls(name, begin, LINE)
        ],
        "calendar": [
            {
                "service_id": "W",
                **WORKDAYS,
                "saturday": 0,
                "sunday": 0,
                "start_date": "20260302",
                "end_date": "20260327",
            }
        ],
    }
    return {**made, **tables}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows with all the columns that any of them has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [",".join(str(row.get(column, "")) for column in columns) for row in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


def write_zip(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]] | str]) -> Path:
    """Zip tables; a text is written as it is, an empty list leaves the file out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            if rows:
                archive.writestr(f"{name}.txt", rows if isinstance(rows, str) else as_csv(rows))
    return path


def write_folder(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """Write tables as files of a folder."""
    path.mkdir()
    for name, rows in tables.items():
        (path / f"{name}.txt").write_text(as_csv(rows), encoding="utf-8")
    return path


def reader(folder: Path) -> Reader:
    """Make what zips tables into a folder and reads them."""

    def read(tables: Mapping[str, Any], **options: Any) -> GtfsTables:
        return read_gtfs(write_zip(folder / "feed.zip", tables), **options)

    return read


def of(tables: GtfsTables, service: str, column: str) -> list[Any]:
    """Give one column of one service."""
    rows: pd.DataFrame = tables.services[tables.services["service"] == service]
    return list(rows[column])


def refused(read: Reader, tables: Mapping[str, Any]) -> str:
    """Give what is said when tables are refused."""
    with pytest.raises(TableError) as caught:
        read(tables)
    return str(caught.value)
