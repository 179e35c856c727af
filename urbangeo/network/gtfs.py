"""Timetables in GTFS, read into stations, services and transfer times.

The files are read with pandas, straight out of the archive. Of the libraries for it, partridge
(last released 2023-12, once since 2019) unpacks the whole archive wherever it leads and prunes
what does not fit without a word; gtfs_kit (kept well) reads every table whole, leaves checking to
others, takes a second to import and brings seven packages, folium among them. Neither counts what
it leaves out, which a network has to.

A feed states trips; a network wants services that run every so many minutes. Trips of a route and
direction that call at the same stations in the same order are one service, and

- it runs if, on the date and within the window, a trip of it leaves a stop where one may board;
- ``departures`` counts these at each stop. Trips of the days before that are still under way
  count too, at times over 24:00;
- ``headway_min`` is the length of the window over the median of ``departures``, taken over the
  stops where there are any. So it never exceeds the window, a trip that crosses an end of the
  window weighs at the stops that it leaves within, and a stop where only some trips may be boarded
  does not lengthen it for the others;
- ``run_min`` and ``dwell_min`` are medians over the trips that were counted.

A service is offered at the stops that are left outside the window too, though no train was counted
there; ``boarding`` is False for them.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.crs import GEOD
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network.ingest import IngestReport
from urbangeo.network.profiles import RAIL_CLASSES

__all__ = ["LARGEST_FEED", "GtfsTables", "read_gtfs"]

LARGEST_FEED = 4 * 1024**3
"""Bytes that the tables of a feed may take unpacked, all together: 4 GiB."""

_DAY = 86400
_DAYS_UNDER_WAY = 7  # a trip is looked for in the window up to so many days after it set out
_CHUNK = 500_000  # rows of stop_times.txt that are held as text at a time
_SHORTEST_RUN_MIN = 1 / 60
_NORTHERNMOST = 83.0  # nobody lives beyond, so a latitude above it is a longitude
_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")
_WEEKDAY_NAMES = "一二三四五六日"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# Columns that are needed, and those that are read where they are there.
_TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "stops.txt": (
        ("stop_id", "stop_lat", "stop_lon"),
        ("stop_name", "location_type", "parent_station"),
    ),
    "routes.txt": (("route_id", "route_type"), ("route_short_name", "route_long_name")),
    "trips.txt": (("trip_id", "route_id", "service_id"), ("direction_id",)),
    "stop_times.txt": (
        ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
        ("pickup_type", "drop_off_type", "shape_dist_traveled"),
    ),
    "calendar.txt": (("service_id", *_WEEKDAYS, "start_date", "end_date"), ()),
    "calendar_dates.txt": (("service_id", "date", "exception_type"), ()),
    "frequencies.txt": (("trip_id", "start_time", "end_time", "headway_secs"), ()),
    "transfers.txt": (
        ("from_stop_id", "to_stop_id"),
        (
            "transfer_type",
            "min_transfer_time",
            "from_route_id",
            "to_route_id",
            "from_trip_id",
            "to_trip_id",
        ),
    ),
    "feed_info.txt": ((), ("feed_publisher_name", "feed_version")),
}
_NEEDED = ("stops.txt", "routes.txt", "trips.txt", "stop_times.txt")

# route_type, basic and extended, to our classes. "rail" is told by the route's name. Trams and
# monorails are metros to us: they stop as often, and there is no nearer class.
_TYPES: Mapping[int, str] = {
    **dict.fromkeys((0, 1, 5, 12), "metro"),
    **dict.fromkeys((2, 100), "rail"),
    101: "hsr",
    103: "intercity",
    **dict.fromkeys((102, 105, 106, 107, 111, 113, 114, 116, 117), "conventional"),
    **dict.fromkeys((108, 109, 300), "suburban"),
    **dict.fromkeys(range(400, 406), "metro"),
    **dict.fromkeys(range(900, 907), "metro"),
}
# Chinese train numbers and what lines are called. C has four digits: with fewer it is a suburban
# line in other countries.
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^[GD]\d{1,4}\b|高铁|高速铁路|客运专线"), "hsr"),
    (re.compile(r"^C\d{4}\b|城际"), "intercity"),
    (re.compile(r"^S\d{1,4}\b|市郊|市域"), "suburban"),
)


@dataclass(frozen=True, eq=False)
class GtfsTables:
    """What a timetable says of a window on a date.

    Attributes
    ----------
    nodes
        One station a row: ``id, kind, name, adcode, source, precision_m, lon, lat`` (degrees,
        WGS 84). Stops of one parent station are one.
    services
        One stop a row: ``service, name, class, seq, station, run_min, dwell_min, headway_min,
        oneway, status, open_year, planned_year, cite, source``, and further ``route``,
        ``direction``, ``departures`` (trips that leave the stop within the window and may be
        boarded there), ``boarding`` and ``alighting`` (whether one may). A station may come twice.
    transfers
        ``station`` and ``minutes``: the least time to change trains there, where the feed says.
    date, start_min, end_min
        The date; the window ``[start, end)`` in minutes since its midnight.
    report
        What was read, repaired and left out; its source names the date and the window.
    examples
        Id of the first trip, stop … of each count of the report, where there is one.
    """

    nodes: pd.DataFrame
    services: pd.DataFrame
    transfers: pd.DataFrame
    date: dt.date
    start_min: float
    end_min: float
    report: IngestReport
    examples: Mapping[str, str]


def read_gtfs(
    path: str | os.PathLike[str],
    *,
    date: dt.date | str | None = None,
    start: str = "07:00",
    end: str = "09:00",
    classes: Mapping[int, str | None] | None = None,
) -> GtfsTables:
    """Read the services of one window on one date from a GTFS feed.

    Parameters
    ----------
    path
        The zip archive, or a folder that holds its files.
    date
        The date, or ``"2026-03-04"``. If not given, the first Tuesday, Wednesday or Thursday on
        which most trips run; the report says which.
    start, end
        The window ``[start, end)``, as ``"07:00"``; up to ``"48:00"``, for nights.
    classes
        Class of rail by ``route_type``, before the usual ones; None leaves a type out. By itself
        the reader takes trains, metros and trams, and leaves out buses, ferries and cable cars:
        the model has no class for them.

    Returns
    -------
    GtfsTables
        Only stations at which a service of the window calls.

    Raises
    ------
    InputError
        If there is no such feed, it is damaged, unpacks to more than :data:`LARGEST_FEED`, has
        members that lead outside, or nothing runs on the date or in the window.
    TableError
        If a file or column is missing, an id stands twice with different content, a position is
        out of range or swapped, or a date cannot be read; all findings of a file at once.
    UnknownNameError
        If ``classes`` names a class of rail that is not known.
    """
    window, day, types = _window(start, end), _as_date(date), _types(classes)
    with _Feed(Path(path)) as feed:
        return _read(feed, day, window, types)


def _read(
    feed: _Feed, day: dt.date | None, window: tuple[int, int], types: Mapping[int, str | None]
) -> GtfsTables:
    log = _Log(feed.path)
    stations = _Stations(feed, log)
    routes = _routes(feed, types, log)
    trips = _trips(feed, routes, log)
    calendar = _Calendar(feed, log)
    trips = _on_calendar(trips, calendar, log)
    ours = trips["kept"].to_numpy()
    per_service = np.bincount(trips["service"].to_numpy()[ours], minlength=len(calendar.ids))
    first, last, busiest = calendar.span(per_service)
    chosen = day is None
    day = day or busiest
    # a window that reaches over midnight needs the trips of the next day too
    shifts = range(-((window[1] - 1) // _DAY), _DAYS_UNDER_WAY + 1)
    active = {shift: calendar.active(day.toordinal() - shift) for shift in shifts}
    if not per_service[active[0]].any():
        raise InputError(
            f"{feed.path}: no trip of rail runs on {day} ({day:%A}); the feed has trips from "
            f"{first} to {last}. Name a date within these on which trains run."
        )
    needed = ours & np.logical_or.reduce([on[trips["service"]] for on in active.values()])
    calls = _calls(feed, trips, needed, stations, log)
    calls = _clean(calls, trips, stations, log)
    calls = _as_stops(calls, trips, stations, log)
    frequent = _frequencies(feed, trips, log)
    departures = _departures(calls, trips, active, window, frequent)
    source = _source(feed)
    services = _services(calls, departures, trips, routes, stations, window, source, log)
    used = np.unique(services["station"].map(stations.row).to_numpy(dtype=np.int64))
    log.add("dropped", "station_unserved", stations.count() - len(used))
    log.add("kept", "stations", len(used))
    return GtfsTables(
        nodes=stations.nodes(used, source),
        services=services,
        transfers=_transfers(feed, stations, used, log),
        date=day,
        start_min=window[0] / 60,
        end_min=window[1] / 60,
        report=log.report(
            f"{feed.path.name}，{day} 星期{_WEEKDAY_NAMES[day.weekday()]} "
            f"{_clock(window[0])}–{_clock(window[1])}"
            + ("（未指定日期，取列车最多的首个平常工作日）" if chosen else "")
        ),
        examples=MappingProxyType(log.examples),
    )


class _Log:
    """Counts for the report, and the first that each of them counted."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self._counts: dict[str, dict[str, float]] = {}
        self.examples: dict[str, str] = {}

    def add(self, section: str, what: str, things: Any) -> None:
        """Count things: their ids, or how many there are."""
        ids = [] if isinstance(things, int | np.integer) else list(things)
        number = len(ids) if ids or not isinstance(things, int | np.integer) else int(things)
        if number:
            counts = self._counts.setdefault(section, {})
            counts[what] = counts.get(what, 0) + number
            if ids:
                self.examples.setdefault(what, str(ids[0]))

    def report(self, source: str) -> IngestReport:
        """Give the report."""
        read, kept, dropped, repaired, noted = (
            self._counts.get(section, {})
            for section in ("read", "kept", "dropped", "repaired", "noted")
        )
        return IngestReport(source, read, kept, dropped, repaired, noted)


def _window(start: str, end: str) -> tuple[int, int]:
    """Give the window in seconds since midnight."""
    made = []
    for what, text in (("start", start), ("end", end)):
        found = _CLOCK.fullmatch(str(text).strip())
        seconds = -1
        if found:
            hours, minutes, rest = (int(part or 0) for part in found.groups())
            seconds = hours * 3600 + minutes * 60 + rest
        if not 0 <= seconds <= 2 * _DAY:
            raise InputError(
                f"{what} is {text!r}; a time of day such as '07:00' is expected, up to '48:00'."
            )
        made.append(seconds)
    if made[0] >= made[1]:
        raise InputError(
            f"The window from {start} to {end} is empty; end must be later than start. "
            "For a window over midnight add 24 hours to end, as in '26:00'."
        )
    return made[0], made[1]


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _as_date(date: dt.date | str | None) -> dt.date | None:
    if isinstance(date, dt.datetime):
        return date.date()
    if date is None or isinstance(date, dt.date):
        return date
    try:
        return dt.date.fromisoformat(str(date))
    except ValueError as error:
        raise InputError(f"date is {date!r}; a date such as '2026-03-04' is expected.") from error


def _types(classes: Mapping[int, str | None] | None) -> dict[int, str | None]:
    made: dict[int, str | None] = dict(_TYPES)
    for key, kind in (classes or {}).items():
        if isinstance(key, bool) or not isinstance(key, int):
            raise InputError(
                f"classes has the key {key!r}; a route_type, such as 3 for buses, is expected."
            )
        if kind is not None and kind not in RAIL_CLASSES:
            raise UnknownNameError("class of rail", str(kind), RAIL_CLASSES)
        made[key] = kind
    return made


class _Feed:
    """The files of a feed, in an archive or a folder, each read once and only if needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive: zipfile.ZipFile | None = None
        if path.is_dir():
            files = {name: path / name for name in _TABLES if (path / name).is_file()}
            self._files: Mapping[str, Path | zipfile.ZipInfo] = files
            self._check_size({name: file.stat().st_size for name, file in files.items()})
        elif not path.exists():
            raise InputError(f"There is no GTFS feed {path}.")
        else:
            try:
                self._archive = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, OSError) as error:
                raise InputError(
                    f"{path} is not a zip archive, or only a part of one ({error}). A GTFS feed "
                    "is a zip of CSV files named *.txt; a folder with these will do too."
                ) from error
            members = _members(path, self._archive)
            self._files = members
            self._check_size({name: member.file_size for name, member in members.items()})
        missing = [name for name in _NEEDED if name not in self._files]
        if not {"calendar.txt", "calendar_dates.txt"} & set(self._files):
            missing.append("calendar.txt or calendar_dates.txt")
        if missing:
            raise TableError(path, [f"{name} is missing" for name in missing])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def _check_size(self, sizes: Mapping[str, int]) -> None:
        total = sum(sizes.values())
        if total > LARGEST_FEED:
            largest = max(sizes, key=lambda name: sizes[name])
            raise InputError(
                f"{self.path} unpacks to {total / 1e9:.1f} GB, of which {largest} "
                f"{sizes[largest] / 1e9:.1f} GB; at most {LARGEST_FEED / 1e9:.1f} GB are read. "
                "Cut the feed to your region, or to its trains, first."
            )

    def _open(self, name: str) -> IO[bytes]:
        member = self._files[name]
        if isinstance(member, Path):
            return member.open("rb")
        assert self._archive is not None
        return self._archive.open(member)

    def chunks(self, name: str) -> Iterator[pd.DataFrame]:
        """Read a table in parts, as categories of text without blanks around it."""
        if name not in self._files:
            return
        needed, optional = _TABLES[name]
        wanted = {*needed, *optional}
        where = f"{self.path}/{name}"
        try:
            with (
                self._open(name) as file,
                pd.read_csv(
                    file,
                    dtype=str,
                    usecols=lambda column: str(column).strip() in wanted,
                    keep_default_na=False,
                    encoding="utf-8-sig",
                    index_col=False,
                    chunksize=_CHUNK,
                ) as parts,
            ):
                for part in parts:
                    part.columns = part.columns.str.strip()
                    missing = [column for column in needed if column not in part.columns]
                    if missing:
                        raise TableError(
                            where, [f"column {column!r} is missing" for column in missing]
                        )
                    if part.columns.duplicated().any():
                        raise TableError(where, ["a column stands twice"])
                    # not dtype="category" above: that would make 7 of the id 007
                    yield part.reset_index(drop=True).astype("category")
        except UnicodeDecodeError as error:
            raise TableError(
                where, [f"not UTF-8 (byte {error.start} of a part); save it as UTF-8"]
            ) from error
        except pd.errors.EmptyDataError as error:
            raise TableError(where, ["the file is empty, it has no header"]) from error
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise TableError(where, [f"not a readable CSV: {error}"]) from error
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"{self.path} is damaged: {name}: {error}. Get it from its publisher again."
            ) from error

    def table(self, name: str) -> pd.DataFrame:
        """Read a table as text; columns and tables that are not there are empty."""
        needed, optional = _TABLES[name]
        parts = [_plain(part) for part in self.chunks(name)]
        columns = [*needed, *optional]
        if not parts:
            return pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
        table = pd.concat(parts, ignore_index=True)
        for column in columns:
            if column not in table.columns:
                table[column] = ""
        return table[columns]


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Find the tables in an archive; one that would write outside is not trusted at all."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.replace("\\", "/")
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:", name):
            raise InputError(
                f"{path} has the member {member.filename!r}, which leads outside the archive. "
                "No GTFS feed needs that; get it from its publisher again."
            )
        if member.is_dir() or pure.name not in _TABLES or "__MACOSX" in pure.parts:
            continue
        if pure.name in found:
            raise InputError(
                f"{path} has two files {pure.name}: {found[pure.name].filename!r} and "
                f"{member.filename!r}. Give one feed at a time."
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # the other methods unpack without a bound on what they give at once
            raise InputError(
                f"{path}: {name} is not packed with deflate, as GTFS feeds are. Zip it again."
            )
        if member.flag_bits & 1:
            raise InputError(f"{path}: {name} is encrypted. Give the feed without a password.")
        found[pure.name] = member
    return found


def _plain(part: pd.DataFrame) -> pd.DataFrame:
    """Turn categories into text without blanks around it."""
    made = {}
    for column in part.columns:
        names = np.array([str(one).strip() for one in part[column].cat.categories], dtype=object)
        made[column] = pd.Series(names[part[column].cat.codes.to_numpy()], dtype=object)
    return pd.DataFrame(made)


def _unique(table: pd.DataFrame, key: str, where: str, log: _Log) -> pd.DataFrame:
    """Drop rows that repeat another; refuse ids that two different rows bear."""
    once = table.drop_duplicates(ignore_index=True)
    log.add("repaired", "rows_repeated", len(table) - len(once))
    twice = once.loc[once[key].duplicated(), key]
    findings = [f"{key} {one!r} stands in two rows that differ" for one in dict.fromkeys(twice)]
    findings += [f"a row has no {key}"] * bool((once[key] == "").any())
    if findings:
        raise TableError(where, findings)
    return once


class _Stations:
    """Stations of a feed, and to which of them each stop belongs."""

    def __init__(self, feed: _Feed, log: _Log) -> None:
        where = f"{feed.path}/stops.txt"
        table = _unique(feed.table("stops.txt"), "stop_id", where, log)
        log.add("read", "stops", len(table))
        self.stops = pd.Index(table["stop_id"])
        self.name = table["stop_name"].to_numpy(dtype=object)
        self.row = dict(zip(self.stops, range(len(self.stops)), strict=True))
        lon, lat = self._position(table, where, log)
        parent = self.stops.get_indexer(table["parent_station"])
        lost = (parent < 0) & (table["parent_station"] != "").to_numpy()
        log.add("repaired", "stop_parent_unknown", self.stops[lost])
        root = np.arange(len(parent))
        # boarding area, platform, station: nothing is nested deeper
        for _ in range(3):
            root = np.where(parent[root] >= 0, parent[root], root)
        endless = parent[root] >= 0
        log.add("repaired", "stop_parents_endless", self.stops[endless])
        self.root: NDArray[np.int64] = np.where(endless, np.arange(len(parent)), root)
        # a station without a position lies amid its stops
        known = np.isfinite(lon)
        calls_at = known & table["location_type"].isin(["", "0", "4"]).to_numpy()
        number = np.bincount(self.root[calls_at], minlength=len(parent))
        self.lon, self.lat = lon.copy(), lat.copy()
        amid = ~known & (number > 0) & (self.root == np.arange(len(parent)))
        for mine, given in ((self.lon, lon), (self.lat, lat)):
            total = np.bincount(self.root[calls_at], given[calls_at], minlength=len(parent))
            mine[amid] = total[amid] / number[amid]
        log.add("repaired", "station_amid_stops", self.stops[amid])
        # where a call of a stop leads to, -1 if nobody knows where that is
        placed = np.isfinite(self.lon[self.root])
        self.station: NDArray[np.int64] = np.where(placed, self.root, -1)
        self._called: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @staticmethod
    def _position(
        table: pd.DataFrame, where: str, log: _Log
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        text = {axis: table[f"stop_{axis}"] for axis in ("lon", "lat")}
        lon, lat = (
            np.asarray(pd.to_numeric(text[axis], errors="coerce"), dtype=float)
            for axis in ("lon", "lat")
        )
        empty = (text["lon"] == "").to_numpy() | (text["lat"] == "").to_numpy()
        ids = table["stop_id"].to_numpy(dtype=object)

        def say(rows: NDArray[np.bool_], what: str) -> list[str]:
            return [
                f"stop {ids[row]!r}: longitude {text['lon'][row]!r}, latitude "
                f"{text['lat'][row]!r} {what}"
                for row in np.flatnonzero(rows)
            ]

        number = np.isfinite(lon) & np.isfinite(lat)
        swapped = number & (np.abs(lat) > _NORTHERNMOST) & (np.abs(lon) <= 90)
        far = number & ~swapped & ((np.abs(lon) > 180) | (np.abs(lat) > 90))
        findings = say(~empty & ~number, "are not numbers")
        findings += say(swapped, "look swapped; exchange the two columns")
        findings += say(far, "are not degrees on the Earth")
        if findings:
            raise TableError(where, findings)
        null = number & (lon == 0) & (lat == 0)
        log.add("repaired", "stop_at_zero", ids[null])
        bad = ~number | null
        return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)

    def called(self, stations: NDArray[np.int64]) -> None:
        """Keep in mind at which stations trips call."""
        self._called = np.unique(stations)

    def count(self) -> int:
        """Number of stations at which trips call."""
        return len(self._called)

    def nodes(self, rows: NDArray[np.int64], source: str) -> pd.DataFrame:
        """Give stations as nodes of a network."""
        return pd.DataFrame(
            {
                "id": self.stops[rows].to_numpy(dtype=object),
                "kind": "station",
                "name": self.name[rows],
                "adcode": "",
                "source": source,
                "precision_m": np.nan,
                "lon": self.lon[rows],
                "lat": self.lat[rows],
            }
        )


def _routes(feed: _Feed, types: Mapping[int, str | None], log: _Log) -> pd.DataFrame:
    """Read the routes, each with its class; "" where the model has none."""
    where = f"{feed.path}/routes.txt"
    table = _unique(feed.table("routes.txt"), "route_id", where, log)
    log.add("read", "routes", len(table))
    number = np.asarray(pd.to_numeric(table["route_type"], errors="coerce"), dtype=float)
    unread = ~np.isfinite(number)
    log.add("dropped", "route_type_unreadable", table["route_id"][unread])
    kinds = []
    for row in range(len(table)):
        kind = None if unread[row] else types.get(int(number[row]))
        if kind == "rail":
            names = (str(table.loc[row, f"route_{size}_name"]) for size in ("short", "long"))
            kind = _rail_class(names)
        kinds.append(kind or "")
    table["class"] = kinds
    left = table[(table["class"] == "") & ~unread]
    for key, rows in left.groupby("route_type", sort=True):
        log.add("dropped", f"route_type_{key}", rows["route_id"])
    for kind in RAIL_CLASSES:
        log.add("kept", f"routes_{kind}", int((table["class"] == kind).sum()))
    if (table["class"] == "").all():
        raise InputError(
            f"{feed.path} has no route of a class that the model knows; its types are "
            f"{', '.join(sorted(set(table['route_type'])))}. "
            "Say what they shall be, as in classes={3: 'suburban'}."
        )
    return table


def _rail_class(names: Iterator[str]) -> str:
    for name in names:
        for pattern, kind in _NAMES:
            if pattern.search(name):
                return kind
    return "conventional"


def _trips(feed: _Feed, routes: pd.DataFrame, log: _Log) -> pd.DataFrame:
    """Read the trips, ``kept`` where their route is one of ours."""
    where = f"{feed.path}/trips.txt"
    table = _unique(feed.table("trips.txt"), "trip_id", where, log)
    log.add("read", "trips", len(table))
    route = pd.Index(routes["route_id"]).get_indexer(table["route_id"])
    lost = route < 0
    log.add("dropped", "trip_route_unknown", table["trip_id"][lost])
    ours = ~lost & (routes["class"] != "").to_numpy()[route]
    log.add("dropped", "trip_route_dropped", int((~lost & ~ours).sum()))
    table["route"], table["kept"] = route, ours
    return table


class _Calendar:
    """On which days each service of a feed runs; days are counted as ``date.toordinal`` does."""

    def __init__(self, feed: _Feed, log: _Log) -> None:
        self.feed = feed
        rows, days = feed.table("calendar.txt"), feed.table("calendar_dates.txt")
        self.ids = pd.Index(pd.unique(pd.concat([rows["service_id"], days["service_id"]])))
        where = f"{feed.path}/calendar.txt"
        again = rows["service_id"].duplicated()
        log.add("repaired", "calendar_repeated", rows["service_id"][again])
        self._service = self.ids.get_indexer(rows["service_id"])
        self._start = _days(rows["start_date"], where)
        self._end = _days(rows["end_date"], where)
        wrong = [
            f"service {rows.loc[row, 'service_id']!r}: {weekday} is {rows.loc[row, weekday]!r}; "
            "0 or 1 is expected"
            for weekday in _WEEKDAYS
            for row in np.flatnonzero(~rows[weekday].isin(["0", "1"])).tolist()
        ]
        where_dates = f"{feed.path}/calendar_dates.txt"
        kind = days["exception_type"]
        if wrong:
            raise TableError(where, wrong)
        wrong = [
            f"service {days.loc[row, 'service_id']!r}: exception_type is {kind[row]!r}; "
            "1 or 2 is expected"
            for row in np.flatnonzero(~kind.isin(["1", "2"])).tolist()
        ]
        if wrong:
            raise TableError(where_dates, wrong)
        self._on = np.column_stack([(rows[weekday] == "1") for weekday in _WEEKDAYS])
        exception = _days(days["date"], where_dates)
        order = np.argsort(exception, kind="stable")
        self._exception = exception[order]
        self._changed = self.ids.get_indexer(days["service_id"])[order]
        self._added = (kind == "1").to_numpy()[order]

    def active(self, day: int) -> NDArray[np.bool_]:
        """Tell of each service whether it runs on a day."""
        runs = (self._start <= day) & (day <= self._end) & self._on[:, (day - 1) % 7]
        on = np.zeros(len(self.ids), dtype=bool)
        on[self._service[runs]] = True
        begin, end = np.searchsorted(self._exception, [day, day + 1])
        on[self._changed[begin:end]] = self._added[begin:end]
        return on

    def span(self, trips: NDArray[np.int64]) -> tuple[dt.date, dt.date, dt.date]:
        """Find the first and last day of the feed, and the one to look at.

        Between two changes of the calendar every week is like the next, so the week after each
        change and the week before it hold all that can be found.
        """
        changes = np.unique(
            np.concatenate([self._start, self._end + 1, self._exception, self._exception + 1])
        )
        days = np.unique((changes[:, None] + np.arange(-7, 7)).ravel())
        days = days[(days >= 1) & (days <= dt.date.max.toordinal())]
        number = np.array([trips[self.active(day)].sum() for day in days], dtype=np.int64)
        days, number = days[number > 0], number[number > 0]
        if not len(days):
            raise InputError(
                f"{self.feed.path}: no trip of rail runs on any day. Look at the services in "
                "calendar.txt and calendar_dates.txt, or map more route types with classes=."
            )
        weekday = (days - 1) % 7
        for ordinary in (np.isin(weekday, (1, 2, 3)), weekday < 5, weekday < 7):
            if ordinary.any():
                break
        best = days[ordinary][np.argmax(number[ordinary])]
        first, last, chosen = (dt.date.fromordinal(int(one)) for one in (days[0], days[-1], best))
        return first, last, chosen


def _days(text: pd.Series, where: str) -> NDArray[np.int64]:
    """Read dates such as 20260304."""
    made: dict[str, int] = {}
    findings = []
    for one in pd.unique(text):
        try:
            # strptime alone takes 2026034 too
            day = dt.datetime.strptime(one if len(one) == 8 else "", "%Y%m%d")  # noqa: DTZ007
            made[one] = day.toordinal()
        except ValueError:
            findings.append(f"{text.name} is {one!r}; a date such as 20260304 is expected")
    if findings:
        raise TableError(where, findings)
    return np.array([made[one] for one in text], dtype=np.int64)


def _on_calendar(trips: pd.DataFrame, calendar: _Calendar, log: _Log) -> pd.DataFrame:
    """Give each trip the number of its service; leave out those of no service."""
    service = calendar.ids.get_indexer(trips["service_id"])
    lost = trips["kept"].to_numpy() & (service < 0)
    log.add("dropped", "trip_calendar_unknown", trips["trip_id"][lost])
    trips["kept"] &= service >= 0
    # a service that is not ours counts for nothing
    trips["service"] = np.where(trips["kept"], service, -1)
    return trips


def _codes(column: pd.Series, known: pd.Index) -> NDArray[np.int64]:
    """Row of each value of a categorical in ``known``, -1 where it is not there."""
    names = [str(one).strip() for one in column.cat.categories]
    made: NDArray[np.int64] = np.append(known.get_indexer(pd.Index(names, dtype=object)), -1)[
        column.cat.codes.to_numpy()
    ]
    return made


def _values(column: pd.Series, read: Callable[[str], float]) -> NDArray[np.float64]:
    """Read each value of a categorical, each different one once."""
    made = np.array([read(str(one).strip()) for one in column.cat.categories] + [np.nan])
    return made[column.cat.codes.to_numpy()]


def _seconds(text: str) -> float:
    """Read a time of day: NaN where there is none, -1 where it cannot be read."""
    if not text:
        return np.nan
    found = _TIME.fullmatch(text)
    if not found:
        return -1.0
    hours, minutes, seconds = map(int, found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def _number(text: str) -> float:
    """Read a number that is not negative; NaN if it is none."""
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if 0 <= value < np.inf else np.nan


def _calls(
    feed: _Feed,
    trips: pd.DataFrame,
    needed: NDArray[np.bool_],
    stations: _Stations,
    log: _Log,
) -> pd.DataFrame:
    """Read the calls of the trips that are needed, ordered by trip and stop_sequence."""
    ids = pd.Index(trips["trip_id"])
    parts = []
    unknown = 0
    for part in feed.chunks("stop_times.txt"):
        trip = _codes(part["trip_id"], ids)
        unknown += int((trip < 0).sum())
        log.add("read", "calls", len(part))
        ours = (trip >= 0) & needed[trip]
        rows = part[ours]
        parts.append(
            pd.DataFrame(
                {
                    "trip": trip[ours],
                    "stop": _codes(rows["stop_id"], stations.stops),
                    "seq": _values(rows["stop_sequence"], _number),
                    "arrival": _values(rows["arrival_time"], _seconds),
                    "departure": _values(rows["departure_time"], _seconds),
                    **{
                        column: (
                            _values(rows[column], _number) if column in rows.columns else np.nan
                        )
                        for column in ("pickup_type", "drop_off_type", "shape_dist_traveled")
                    },
                }
            )
        )
    log.add("dropped", "call_trip_unknown", unknown)
    calls = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"trip": []})
    if not len(calls):
        raise TableError(
            f"{feed.path}/stop_times.txt", ["it holds no call of a trip that runs on the date"]
        )
    calls = calls.sort_values(["trip", "seq"], kind="stable", ignore_index=True)
    once = calls.drop_duplicates(ignore_index=True)
    log.add("repaired", "rows_repeated", len(calls) - len(once))
    silent = np.setdiff1d(np.flatnonzero(needed), once["trip"].to_numpy())
    log.add("dropped", "trip_without_calls", ids[silent])
    return once


def _clean(
    calls: pd.DataFrame, trips: pd.DataFrame, stations: _Stations, log: _Log
) -> pd.DataFrame:
    """Leave out what cannot be used, and fill in the times that are not given."""
    ids = trips["trip_id"].to_numpy(dtype=object)

    def without(calls: pd.DataFrame, rows: Any, why: str) -> pd.DataFrame:
        bad = np.unique(calls["trip"].to_numpy()[np.asarray(rows)])
        log.add("dropped", why, ids[bad])
        return calls[~calls["trip"].isin(bad)].reset_index(drop=True) if len(bad) else calls

    calls = without(calls, calls["seq"].isna(), "trip_sequence_unreadable")
    calls = without(calls, calls.duplicated(["trip", "seq"]), "trip_sequence_repeated")
    unread = (calls["arrival"] < 0) | (calls["departure"] < 0)
    calls = without(calls, unread, "trip_time_unreadable")
    stop = calls["stop"].to_numpy()
    for rows, why in (
        (stop < 0, "call_stop_unknown"),
        ((stop >= 0) & (stations.station[stop] < 0), "call_stop_nowhere"),
    ):
        names = (
            stations.stops[stop[rows & (stop >= 0)]]
            if (rows & (stop >= 0)).any()
            else ids[calls["trip"].to_numpy()[rows]]
        )
        log.add("dropped", why, names)
    calls = calls[(stop >= 0) & (stations.station[stop] >= 0)].reset_index(drop=True)
    calls["station"] = stations.station[calls["stop"].to_numpy()]
    given = calls[["arrival", "departure"]]
    half = given.isna().sum(axis=1) == 1
    log.add("repaired", "call_one_time", int(half.sum()))
    calls["arrival"] = given["arrival"].fillna(given["departure"])
    calls["departure"] = given["departure"].fillna(given["arrival"])
    first, last = _ends(calls)
    blank = calls["arrival"].isna().to_numpy()
    calls = without(calls, blank & (first | last), "trip_time_missing")
    calls = _interpolated(calls, stations, log)
    first, _ = _ends(calls)
    before = calls["departure"].shift().to_numpy()
    back = (calls["departure"] < calls["arrival"]).to_numpy() | (
        ~first & (calls["arrival"].to_numpy() < before)
    )
    return without(calls, back, "trip_time_backwards")


def _ends(calls: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which calls are the first, and which the last, of their trips."""
    trip = calls["trip"].to_numpy()
    change = trip[1:] != trip[:-1]
    return np.append(True, change)[: len(trip)], np.append(change, True)[-len(trip) :]


def _interpolated(calls: pd.DataFrame, stations: _Stations, log: _Log) -> pd.DataFrame:
    """Fill in missing times along the way: by shape_dist_traveled, or else as the crow flies."""
    blank = calls["arrival"].isna().to_numpy()
    if not blank.any():
        return calls
    first, _ = _ends(calls)
    lon, lat = stations.lon[calls["station"]], stations.lat[calls["station"]]
    step = np.zeros(len(calls))
    _, _, step[1:] = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    travelled = calls["shape_dist_traveled"]
    stated = travelled.diff().where(~first, 0.0)
    usable = (travelled.notna() & (stated >= 0)).groupby(calls["trip"]).transform("all")
    # a hair for each call, so that stops without a distance between them share the time evenly
    way = np.cumsum(np.where(usable, stated, step).astype(float) + 1e-3)
    for column in ("arrival", "departure"):
        # between two known calls a train leaves at the one and arrives at the other
        known = np.repeat(way[~blank], 2)
        times = calls.loc[~blank, ["arrival", "departure"]].to_numpy().ravel()
        calls[column] = np.where(blank, np.interp(way, known, times), calls[column])
    log.add("repaired", "call_interpolated", int(blank.sum()))
    return calls


def _as_stops(
    calls: pd.DataFrame, trips: pd.DataFrame, stations: _Stations, log: _Log
) -> pd.DataFrame:
    """Keep the calls at which passengers get on or off, one for each stay at a station."""
    asked = calls["pickup_type"].isin([2.0, 3.0]) | calls["drop_off_type"].isin([2.0, 3.0])
    log.add("noted", "call_on_request", int(asked.sum()))
    calls["boarding"] = calls["pickup_type"] != 1
    calls["alighting"] = calls["drop_off_type"] != 1
    idle = ~calls["boarding"] & ~calls["alighting"]
    log.add("dropped", "call_no_passengers", int(idle.sum()))
    calls = calls[~idle].reset_index(drop=True)
    first, _ = _ends(calls)
    station = calls["station"].to_numpy()
    again = ~first & (station == np.append(-1, station[:-1])[: len(station)])
    log.add("repaired", "call_same_station", int(again.sum()))
    made = calls.groupby(np.cumsum(~again) - 1).agg(
        trip=("trip", "first"),
        station=("station", "first"),
        arrival=("arrival", "first"),
        departure=("departure", "last"),
        boarding=("boarding", "any"),
        alighting=("alighting", "any"),
    )
    number = made.groupby("trip")["station"].transform("size")
    short = np.unique(made["trip"].to_numpy()[number < 2])
    log.add("dropped", "trip_one_stop", trips["trip_id"].to_numpy()[short])
    made = made[number >= 2].reset_index(drop=True)
    if not len(made):
        raise InputError(f"{log.where}: no trip on the date has two stops that can be used.")
    stations.called(made["station"].to_numpy())
    log.add("kept", "trips", made["trip"].nunique())
    return made


def _frequencies(feed: _Feed, trips: pd.DataFrame, log: _Log) -> pd.DataFrame:
    """Read which trips are run again and again: trip, begin, end, every; all in seconds."""
    table = feed.table("frequencies.txt").drop_duplicates(ignore_index=True)
    made = pd.DataFrame(
        {
            "trip": pd.Index(trips["trip_id"]).get_indexer(table["trip_id"]),
            "begin": [_seconds(one) for one in table["start_time"]],
            "end": [_seconds(one) for one in table["end_time"]],
            "every": [_number(one) for one in table["headway_secs"]],
        }
    )
    lost = (made["trip"] < 0).to_numpy()
    log.add("dropped", "frequency_trip_unknown", table["trip_id"][lost])
    usable = (made["begin"] >= 0) & (made["end"] > made["begin"]) & (made["every"] > 0)
    bad = ~lost & ~usable.to_numpy()
    log.add("dropped", "frequency_senseless", table["trip_id"][bad])
    made = made[~lost & ~bad].reset_index(drop=True)
    log.add("kept", "frequencies", len(made))
    return made


def _departures(
    calls: pd.DataFrame,
    trips: pd.DataFrame,
    active: Mapping[int, NDArray[np.bool_]],
    window: tuple[int, int],
    frequent: pd.DataFrame,
) -> NDArray[np.float64]:
    """Count for each call how often its trip leaves there within the window."""
    trip = calls["trip"].to_numpy()
    time = calls["departure"].to_numpy(dtype=float)
    first, last = _ends(calls)
    service = trips["service"].to_numpy()[trip]
    repeated = np.isin(trip, frequent["trip"])
    counted = np.zeros(len(calls))
    after = time - np.repeat(time[first], np.diff(np.append(np.flatnonzero(first), len(calls))))
    for shift, on in active.items():
        begin, end = window[0] + shift * _DAY, window[1] + shift * _DAY
        runs = on[service]
        counted += runs & ~repeated & (begin <= time) & (time < end)
        for mine, one, until, every in frequent.itertuples(index=False):
            lo, hi = np.searchsorted(trip, [mine, mine + 1])
            if lo == hi or not runs[lo]:
                continue
            since = after[lo:hi]
            # departures at one, one + every, … before until, seen at the stop since seconds later
            low = np.ceil((np.maximum(one, begin - since) - one) / every)
            high = np.ceil((np.minimum(until, end - since) - one) / every)
            counted[lo:hi] += np.maximum(0, high - low)
    counted[last | ~calls["boarding"].to_numpy()] = 0
    return counted


def _services(
    calls: pd.DataFrame,
    departures: NDArray[np.float64],
    trips: pd.DataFrame,
    routes: pd.DataFrame,
    stations: _Stations,
    window: tuple[int, int],
    source: str,
    log: _Log,
) -> pd.DataFrame:
    """Make one service of the trips of a route and direction that call at the same stations."""
    trip, station = calls["trip"].to_numpy(), calls["station"].to_numpy()
    starts = np.flatnonzero(_ends(calls)[0])
    sizes = np.diff(np.append(starts, len(calls)))
    place = np.arange(len(calls)) - np.repeat(starts, sizes)
    directions = trips["direction_id"].to_numpy(dtype=object)
    route = trips["route"].to_numpy()
    # the pattern of each trip, numbered in the order of routes, directions and trips
    known: dict[tuple[int, str, bytes], int] = {}
    heads = trip[starts]
    turn = sorted(range(len(starts)), key=lambda one: (route[heads[one]], directions[heads[one]]))
    pattern = np.empty(len(starts), dtype=np.int64)
    for one in turn:
        begin, mine = starts[one], heads[one]
        stops = station[begin : begin + sizes[one]].tobytes()
        pattern[one] = known.setdefault(
            (int(route[mine]), str(directions[mine]), stops), len(known)
        )
    weight = np.maximum.reduceat(departures, starts)
    n_trips = np.bincount(pattern, weights=weight, minlength=len(known))
    runs = n_trips > 0
    log.add("dropped", "service_outside_window", int((~runs).sum()))
    if not runs.any():
        hours = calls["departure"] / 3600
        raise InputError(
            f"{log.where}: no train leaves a stop within the window of "
            f"{window[0] / 3600:g} to {window[1] / 3600:g} h; on this date they leave from "
            f"{hours.min():.1f} to {hours.max():.1f} h. Choose another window."
        )
    log.add("kept", "services", int(runs.sum()))
    counted = np.repeat(weight > 0, sizes)
    key = np.repeat(pattern, sizes) * int(sizes.max()) + place
    arrival, departure = calls["arrival"].to_numpy(), calls["departure"].to_numpy()
    run = np.where(place > 0, arrival - np.append(0, departure[:-1]), 0) / 60
    dwell = (departure - arrival) / 60
    times: NDArray[np.float64] = np.repeat(weight, sizes)
    keys, at = np.unique(key[counted], return_inverse=True)
    made = pd.DataFrame({"pattern": keys // int(sizes.max()), "place": keys % int(sizes.max())})
    made["run_min"] = _median(at, run[counted], times[counted])
    made["dwell_min"] = _median(at, dwell[counted], times[counted])
    made["departures"] = np.bincount(at, weights=departures[counted])
    some = np.flatnonzero(counted)
    row = some[np.unique(key[counted], return_index=True)[1]]
    made["station"] = stations.stops[station[row]].to_numpy(dtype=object)
    made["boarding"] = made["departures"] > 0
    may = np.bincount(at, weights=calls["alighting"].to_numpy()[counted]) > 0
    made["alighting"] = may & (made["place"] > 0)
    is_first = made["place"] == 0
    fast = ~is_first & (made["run_min"] < _SHORTEST_RUN_MIN)
    log.add("repaired", "run_no_time", int(fast.sum()))
    made["run_min"] = made["run_min"].clip(lower=_SHORTEST_RUN_MIN).where(~is_first)
    is_last = made["pattern"] != made["pattern"].shift(-1)
    made["dwell_min"] = made["dwell_min"].where(~is_first & ~is_last, 0.0)
    usual = made["departures"].where(made["departures"] > 0).groupby(made["pattern"])
    made["headway_min"] = (window[1] - window[0]) / 60 / usual.transform("median")
    closed = int((~made["boarding"] & ~is_last).sum())
    log.add("noted", "stops_not_boarded", closed)
    of = route[trip[row]]
    table = routes.iloc[of].reset_index(drop=True)
    names = table["route_short_name"].where(
        table["route_short_name"] != "", table["route_long_name"]
    )
    made["route"], made["class"] = table["route_id"], table["class"]
    made["name"] = names.where(names != "", table["route_id"])
    made["direction"] = directions[trip[row]]
    # numbered within the route
    groups = made.loc[is_first, ["pattern", "route"]]
    nth = pd.Series(groups.groupby("route").cumcount().to_numpy() + 1, index=groups["pattern"])
    made["service"] = made["route"] + "." + made["pattern"].map(nth).astype(str)
    made["seq"] = made["place"] + 1
    made["oneway"] = True
    made["status"], made["cite"], made["source"] = "已建成", "", source
    made["open_year"] = made["planned_year"] = np.nan
    loops = made.duplicated(["service", "station"])
    log.add("noted", "service_twice_at_station", pd.unique(made.loc[loops, "service"]))
    return made[list(_SERVICE_COLUMNS)]


_SERVICE_COLUMNS = (
    "service",
    "name",
    "class",
    "seq",
    "station",
    "run_min",
    "dwell_min",
    "headway_min",
    "oneway",
    "status",
    "open_year",
    "planned_year",
    "cite",
    "source",
    "route",
    "direction",
    "departures",
    "boarding",
    "alighting",
)


def _median(
    group: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted median of each group; of two values in the middle, their mean."""
    order = np.lexsort((values, group))
    group, values, weights = group[order], values[order], weights[order]
    total = np.cumsum(weights)
    ends = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    middle = (np.append(0.0, total[ends[:-1]]) + total[ends]) / 2
    low = np.searchsorted(total, middle, side="left")
    high = np.searchsorted(total, middle, side="right")
    made: NDArray[np.float64] = (values[low] + values[high]) / 2
    return made


def _transfers(
    feed: _Feed, stations: _Stations, used: NDArray[np.int64], log: _Log
) -> pd.DataFrame:
    """Read the least time to change at each station.

    A row from a station to itself says it for the whole; else the longest between two of its
    stops is taken, which is enough for all.
    """
    table = feed.table("transfers.txt")
    begin = stations.stops.get_indexer(table["from_stop_id"])
    end = stations.stops.get_indexer(table["to_stop_id"])
    lost = (begin < 0) | (end < 0)
    log.add("dropped", "transfer_stop_unknown", int(lost.sum()))
    here = stations.root[begin]
    left = ~lost & (here != stations.root[end])
    log.add("dropped", "transfer_between_stations", int(left.sum()))
    rest = ~lost & ~left
    narrow = (table[["from_route_id", "to_route_id", "from_trip_id", "to_trip_id"]] != "").any(
        axis=1
    )
    special = rest & narrow.to_numpy()
    log.add("dropped", "transfer_particular", int(special.sum()))
    minutes = np.array([_number(one) for one in table["min_transfer_time"]]) / 60
    timed = rest & ~special & ~np.isnan(minutes) & (table["transfer_type"] == "2").to_numpy()
    log.add("dropped", "transfer_untimed", int((rest & ~special & ~timed).sum()))
    served = np.isin(here, used)
    log.add("dropped", "transfer_unserved", int((timed & ~served).sum()))
    rows = np.flatnonzero(timed & served)
    best: dict[int, tuple[bool, float]] = {}
    for row in rows:
        whole = bool(begin[row] == end[row] == here[row])
        best[int(here[row])] = max(best.get(int(here[row]), (False, 0.0)), (whole, minutes[row]))
    keys = sorted(best)
    log.add("kept", "transfers", len(rows))
    return pd.DataFrame(
        {
            "station": stations.stops[keys].to_numpy(dtype=object),
            "minutes": np.array([best[key][1] for key in keys], dtype=float),
        }
    )


def _source(feed: _Feed) -> str:
    """Say where the rows come from, as far as the feed tells."""
    info = feed.table("feed_info.txt")
    stated = [str(info.loc[0, column]) for column in info.columns] if len(info) else []
    return " ".join(["GTFS", feed.path.name, *filter(None, stated)])
