"""The files of a timetable in GTFS: opened safely, read as text, and counted.

The files are read with pandas, straight out of the archive. Of the libraries for it, partridge
(last released 2023-12, once since 2019) unpacks the whole archive wherever it leads and prunes
what does not fit without a word; gtfs_kit (kept well) reads every table whole, leaves checking to
others, takes a second to import and brings seven packages, folium among them. Neither counts what
it leaves out, which a network has to.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError, TableError
from urbangeo.network.ingest import IngestReport

__all__ = [
    "LARGEST_FEED",
    "WEEKDAYS",
    "Feed",
    "Log",
    "codes",
    "number",
    "open_feed",
    "seconds",
    "unique_rows",
    "values",
]

LARGEST_FEED = 4 * 1024**3
"""Bytes that the tables of a feed may take unpacked, all together: 4 GiB."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Columns of calendar.txt."""

_CHUNK = 500_000  # rows of a table that are held as categories at a time
_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")

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
    "calendar.txt": (("service_id", *WEEKDAYS, "start_date", "end_date"), ()),
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


class Log:
    """Counts for the report, and the first that each of them counted."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, float]] = {}
        self.examples: dict[str, str] = {}

    def add(self, section: str, what: str, things: int | Iterable[object]) -> None:
        """Count things: their ids, or how many there are."""
        ids = [] if isinstance(things, int) else list(things)
        count = things if isinstance(things, int) else len(ids)
        if count:
            counts = self._counts.setdefault(section, {})
            counts[what] = counts.get(what, 0) + count
        if ids:
            self.examples.setdefault(what, str(ids[0]))

    def report(self, source: str) -> IngestReport:
        """Give the report."""
        read, kept, dropped, repaired, noted = (
            self._counts.get(section, {})
            for section in ("read", "kept", "dropped", "repaired", "noted")
        )
        return IngestReport(source, read, kept, dropped, repaired, noted)


@dataclass(frozen=True)
class _File:
    size: int  # bytes, unpacked
    open: Callable[[], IO[Any]]  # for bytes


@contextmanager
def open_feed(path: Path) -> Iterator[Feed]:
    """Open a feed: a zip archive, or a folder that holds its files.

    Raises
    ------
    InputError
        If there is none, it is damaged, has members that lead outside, or unpacks to more than
        :data:`LARGEST_FEED`.
    TableError
        If a file is missing.
    """
    if path.is_dir():
        found = [path / name for name in _TABLES if (path / name).is_file()]
        yield Feed(
            path,
            {file.name: _File(file.stat().st_size, partial(file.open, "rb")) for file in found},
        )
    elif not path.exists():
        raise InputError(f"There is no GTFS feed {path}.")
    else:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(
                f"{path} is not a zip archive, or only a part of one ({error}). A GTFS feed "
                "is a zip of CSV files named *.txt; a folder with these will do too."
            ) from error
        with archive:
            members = _members(path, archive)
            yield Feed(
                path,
                {
                    name: _File(member.file_size, partial(archive.open, member))
                    for name, member in members.items()
                },
            )


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


class Feed:
    """The tables of a feed, see :func:`open_feed`; each is read when it is asked for."""

    def __init__(self, path: Path, files: Mapping[str, _File]) -> None:
        self.path = path
        self._files = files
        total = sum(file.size for file in files.values())
        if total > LARGEST_FEED:
            largest = max(files, key=lambda name: files[name].size)
            raise InputError(
                f"{path} unpacks to {total / 1e9:.1f} GB, of which {largest} "
                f"{files[largest].size / 1e9:.1f} GB; at most {LARGEST_FEED / 1e9:.1f} GB are "
                "read. Cut the feed to your region, or to its trains, first."
            )
        missing = [name for name in _NEEDED if name not in files]
        if not {"calendar.txt", "calendar_dates.txt"} & set(files):
            missing.append("calendar.txt or calendar_dates.txt")
        if missing:
            raise TableError(path, [f"{name} is missing" for name in missing])

    def chunks(self, name: str) -> Iterator[pd.DataFrame]:
        """Read a table in parts, as categories of text without blanks around it."""
        if name not in self._files:
            return
        needed, optional = _TABLES[name]
        wanted = {*needed, *optional}
        where = f"{self.path}/{name}"
        try:
            with (
                self._files[name].open() as file,
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
        except pd.errors.ParserError as error:
            raise TableError(where, [f"not a readable CSV: {error}"]) from error
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"{self.path} is damaged: {name}: {error}. Get it from its publisher again."
            ) from error
        except OSError as error:
            raise InputError(f"{where} cannot be read: {error.strerror or error}.") from error

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

    def source(self) -> str:
        """Say where the rows come from, as far as the feed tells."""
        info = self.table("feed_info.txt")
        stated = [str(info.loc[0, column]) for column in info.columns] if len(info) else []
        return " ".join(["GTFS", self.path.name, *filter(None, stated)])


def _plain(part: pd.DataFrame) -> pd.DataFrame:
    """Turn categories into text without blanks around it."""
    made = {}
    for column in part.columns:
        names = np.array([str(one).strip() for one in part[column].cat.categories], dtype=object)
        made[column] = pd.Series(names[part[column].cat.codes.to_numpy()], dtype=object)
    return pd.DataFrame(made)


def unique_rows(table: pd.DataFrame, key: str, where: str, log: Log) -> pd.DataFrame:
    """Drop rows that repeat another; refuse ids that two different rows bear."""
    once = table.drop_duplicates(ignore_index=True)
    log.add("repaired", "rows_repeated", len(table) - len(once))
    twice = once.loc[once[key].duplicated(), key]
    findings = [f"{key} {one!r} stands in two rows that differ" for one in dict.fromkeys(twice)]
    findings += [f"a row has no {key}"] * bool((once[key] == "").any())
    if findings:
        raise TableError(where, findings)
    return once


def codes(column: pd.Series, known: pd.Index) -> NDArray[np.int64]:
    """Row of each value of a categorical in ``known``, -1 where it is not there."""
    names = [str(one).strip() for one in column.cat.categories]
    made: NDArray[np.int64] = np.append(known.get_indexer(pd.Index(names, dtype=object)), -1)[
        column.cat.codes.to_numpy()
    ]
    return made


def values(column: pd.Series, read: Callable[[str], float]) -> NDArray[np.float64]:
    """Read each value of a categorical, each different one once."""
    made = np.array([read(str(one).strip()) for one in column.cat.categories] + [np.nan])
    return made[column.cat.codes.to_numpy()]


def seconds(text: str) -> float:
    """Read a time of day: NaN where there is none, -1 where it cannot be read."""
    if not text:
        return np.nan
    found = _TIME.fullmatch(text)
    if not found:
        return -1.0
    hours, minutes, rest = map(int, found.groups())
    return float(hours * 3600 + minutes * 60 + rest)


def number(text: str) -> float:
    """Read a number that is not negative; NaN if it is none."""
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if 0 <= value < np.inf else np.nan
