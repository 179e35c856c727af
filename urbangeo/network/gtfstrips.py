"""Trips of a timetable in GTFS: their routes, the days on which they run, and where they call.

What cannot be used is left out and what is not told is filled in, and both are counted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.crs import GEOD
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.network.gtfsfeed import (
    WEEKDAYS,
    Feed,
    Log,
    codes,
    number,
    seconds,
    unique_rows,
    values,
)
from urbangeo.network.gtfsstations import Stations
from urbangeo.network.profiles import RAIL_CLASSES

__all__ = [
    "Calendar",
    "classes_by_type",
    "ends",
    "read_calls",
    "read_frequencies",
    "read_routes",
    "read_trips",
]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

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


def classes_by_type(classes: Mapping[int, str | None] | None) -> dict[int, str | None]:
    """Class of rail by ``route_type``: the caller's before the usual ones; None for none."""
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


def read_routes(feed: Feed, types: Mapping[int, str | None], log: Log) -> pd.DataFrame:
    """Read the routes, each with its class; "" where the model has none."""
    where = f"{feed.path}/routes.txt"
    table = unique_rows(feed.table("routes.txt"), "route_id", where, log)
    log.add("read", "routes", len(table))
    stated = np.asarray(pd.to_numeric(table["route_type"], errors="coerce"), dtype=float)
    unread = ~np.isfinite(stated)
    log.add("dropped", "route_type_unreadable", table["route_id"][unread])
    kinds = []
    for row in range(len(table)):
        kind = None if unread[row] else types.get(int(stated[row]))
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


def _rail_class(names: Iterable[str]) -> str:
    for name in names:
        for pattern, kind in _NAMES:
            if pattern.search(name):
                return kind
    return "conventional"


def read_trips(feed: Feed, routes: pd.DataFrame, calendar: Calendar, log: Log) -> pd.DataFrame:
    """Read the trips, with the row of their ``route`` and of their ``service`` in the calendar.

    The service is -1 for a trip that is left out.
    """
    where = f"{feed.path}/trips.txt"
    table = unique_rows(feed.table("trips.txt"), "trip_id", where, log)
    log.add("read", "trips", len(table))
    route = pd.Index(routes["route_id"]).get_indexer(table["route_id"])
    lost = route < 0
    log.add("dropped", "trip_route_unknown", table["trip_id"][lost])
    ours = ~lost & (routes["class"] != "").to_numpy()[route]
    log.add("dropped", "trip_route_dropped", int((~lost & ~ours).sum()))
    service = calendar.ids.get_indexer(table["service_id"])
    log.add("dropped", "trip_calendar_unknown", table["trip_id"][ours & (service < 0)])
    table["route"], table["service"] = route, np.where(ours, service, -1)
    return table


class Calendar:
    """On which days each service of a feed runs; days are counted as ``date.toordinal`` does."""

    def __init__(self, feed: Feed, log: Log) -> None:
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
            for weekday in WEEKDAYS
            for row in np.flatnonzero(~rows[weekday].isin(["0", "1"])).tolist()
        ]
        if wrong:
            raise TableError(where, wrong)
        where = f"{feed.path}/calendar_dates.txt"
        kind = days["exception_type"]
        wrong = [
            f"service {days.loc[row, 'service_id']!r}: exception_type is {kind[row]!r}; "
            "1 or 2 is expected"
            for row in np.flatnonzero(~kind.isin(["1", "2"])).tolist()
        ]
        if wrong:
            raise TableError(where, wrong)
        self._on = np.column_stack([(rows[weekday] == "1") for weekday in WEEKDAYS])
        exception = _days(days["date"], where)
        order = np.argsort(exception, kind="stable")
        self._exception = exception[order]
        self._changed = self.ids.get_indexer(days["service_id"])[order]
        self._added = (kind == "1").to_numpy()[order]

    def active(self, day: int) -> Bools:
        """Tell of each service whether it runs on a day."""
        runs = (self._start <= day) & (day <= self._end) & self._on[:, (day - 1) % 7]
        on = np.zeros(len(self.ids), dtype=bool)
        on[self._service[runs]] = True
        begin, end = np.searchsorted(self._exception, [day, day + 1])
        on[self._changed[begin:end]] = self._added[begin:end]
        return on

    def span(self, trips: Ints) -> tuple[dt.date, dt.date, dt.date]:
        """Find the first and last day of the feed, and the one to look at.

        Between two changes of the calendar every week is like the next, so the week after each
        change and the week before it hold all that can be found.
        """
        changes = np.unique(
            np.concatenate([self._start, self._end + 1, self._exception, self._exception + 1])
        )
        days = np.unique((changes[:, None] + np.arange(-7, 7)).ravel())
        days = days[(days >= 1) & (days <= dt.date.max.toordinal())]
        count = np.array([trips[self.active(day)].sum() for day in days], dtype=np.int64)
        days, count = days[count > 0], count[count > 0]
        if not len(days):
            raise InputError(
                f"{self.feed.path}: no trip of rail runs on any day. Look at the services in "
                "calendar.txt and calendar_dates.txt, or map more route types with classes=."
            )
        weekday = (days - 1) % 7
        for ordinary in (np.isin(weekday, (1, 2, 3)), weekday < 5, weekday < 7):
            if ordinary.any():
                break
        best = days[ordinary][np.argmax(count[ordinary])]
        first, last, chosen = (dt.date.fromordinal(int(one)) for one in (days[0], days[-1], best))
        return first, last, chosen


def _days(text: pd.Series, where: str) -> Ints:
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


def read_calls(
    feed: Feed, trips: pd.DataFrame, needed: Bools, stations: Stations, log: Log
) -> pd.DataFrame:
    """Read where trips call.

    Parameters
    ----------
    feed, trips, stations
        The feed and what was read of it.
    needed
        Which of the trips to read.
    log
        Counts what is left out and filled in.

    Returns
    -------
    pandas.DataFrame
        One stay at a station a row, ordered by trip and along it: ``trip`` and ``station`` (rows),
        ``arrival`` and ``departure`` (seconds since midnight), ``boarding`` and ``alighting``
        (whether one may), and ``begin``, when the trip sets out. Each trip has two or more.

    Raises
    ------
    TableError
        If there is no call of these trips.
    InputError
        If none of them has two stops that can be used.
    """
    calls = _clean(_raw_calls(feed, trips, needed, stations, log), trips, stations, log)
    calls = _stays(calls, trips, log)
    if not len(calls):
        raise InputError(f"{feed.path}: no trip on the date has two stops that can be used.")
    log.add("kept", "trips", calls["trip"].nunique())
    return calls


def _raw_calls(
    feed: Feed, trips: pd.DataFrame, needed: Bools, stations: Stations, log: Log
) -> pd.DataFrame:
    """Read the calls of the trips that are needed, ordered by trip and stop_sequence."""
    ids = pd.Index(trips["trip_id"])
    parts = []
    unknown = 0
    for part in feed.chunks("stop_times.txt"):
        trip = codes(part["trip_id"], ids)
        unknown += int((trip < 0).sum())
        log.add("read", "calls", len(part))
        ours = (trip >= 0) & needed[trip]
        rows = part[ours]
        parts.append(
            pd.DataFrame(
                {
                    "trip": trip[ours],
                    "stop": codes(rows["stop_id"], stations.stops),
                    "seq": values(rows["stop_sequence"], number),
                    "arrival": values(rows["arrival_time"], seconds),
                    "departure": values(rows["departure_time"], seconds),
                    **{
                        column: (values(rows[column], number) if column in rows.columns else np.nan)
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


def _clean(calls: pd.DataFrame, trips: pd.DataFrame, stations: Stations, log: Log) -> pd.DataFrame:
    """Leave out what cannot be used, and fill in the times that are not given."""
    ids = trips["trip_id"].to_numpy(dtype=object)

    def without(calls: pd.DataFrame, rows: pd.Series | Bools, why: str) -> pd.DataFrame:
        bad = np.unique(calls["trip"].to_numpy()[np.asarray(rows)])
        log.add("dropped", why, ids[bad])
        return calls[~calls["trip"].isin(bad)].reset_index(drop=True) if len(bad) else calls

    calls = without(calls, calls["seq"].isna(), "trip_sequence_unreadable")
    calls = without(calls, calls.duplicated(["trip", "seq"]), "trip_sequence_repeated")
    unread = (calls["arrival"] < 0) | (calls["departure"] < 0)
    calls = without(calls, unread, "trip_time_unreadable")
    # when a trip sets out, wherever that is: frequencies count from there
    told = calls["departure"].fillna(calls["arrival"])
    calls["begin"] = told.groupby(calls["trip"]).transform("first")
    stop, trip = calls["stop"].to_numpy(), calls["trip"].to_numpy()
    unknown = stop < 0
    nowhere = ~unknown & (stations.station[stop] < 0)
    log.add("dropped", "call_stop_unknown", ids[trip[unknown]])
    log.add("dropped", "call_stop_nowhere", stations.stops[stop[nowhere]])
    calls = calls[~unknown & ~nowhere].reset_index(drop=True)
    calls["station"] = stations.station[calls["stop"].to_numpy()]
    given = calls[["arrival", "departure"]]
    half = given.isna().sum(axis=1) == 1
    log.add("repaired", "call_one_time", int(half.sum()))
    calls["arrival"] = given["arrival"].fillna(given["departure"])
    calls["departure"] = given["departure"].fillna(given["arrival"])
    first, last = ends(calls)
    blank = calls["arrival"].isna().to_numpy()
    calls = without(calls, blank & (first | last), "trip_time_missing")
    calls = _interpolated(calls, stations, log)
    first, _ = ends(calls)
    before = calls["departure"].shift().to_numpy()
    back = (calls["departure"] < calls["arrival"]).to_numpy() | (
        ~first & (calls["arrival"].to_numpy() < before)
    )
    return without(calls, back, "trip_time_backwards")


def ends(calls: pd.DataFrame) -> tuple[Bools, Bools]:
    """Tell which calls are the first, and which the last, of their trips."""
    trip = calls["trip"].to_numpy()
    edge = np.ones(len(trip) + 1, dtype=bool)
    edge[1:-1] = trip[1:] != trip[:-1]
    return edge[:-1], edge[1:]


def _interpolated(calls: pd.DataFrame, stations: Stations, log: Log) -> pd.DataFrame:
    """Fill in missing times along the way: by shape_dist_traveled, or else as the crow flies."""
    blank = calls["arrival"].isna().to_numpy()
    if not blank.any():
        return calls
    first, _ = ends(calls)
    lon, lat = stations.lon[calls["station"]], stations.lat[calls["station"]]
    step = np.zeros(len(calls))
    _, _, step[1:] = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    travelled = calls["shape_dist_traveled"]
    stated = travelled.diff().where(~first, 0.0)
    usable = (travelled.notna() & (stated >= 0)).groupby(calls["trip"]).transform("all")
    # a hair for each call, so that stops without a distance between them share the time evenly
    way = np.cumsum(np.where(usable, stated, step).astype(float) + 1e-3)
    # between two known calls a train leaves at the one and arrives at the other
    known = np.repeat(way[~blank], 2)
    times = calls.loc[~blank, ["arrival", "departure"]].to_numpy().ravel()
    for column in ("arrival", "departure"):
        calls.loc[blank, column] = np.interp(way[blank], known, times)
    log.add("repaired", "call_interpolated", int(blank.sum()))
    return calls


def _stays(calls: pd.DataFrame, trips: pd.DataFrame, log: Log) -> pd.DataFrame:
    """Keep the calls at which passengers get on or off, one for each stay at a station."""
    asked = calls["pickup_type"].isin([2.0, 3.0]) | calls["drop_off_type"].isin([2.0, 3.0])
    log.add("noted", "call_on_request", int(asked.sum()))
    calls["boarding"] = calls["pickup_type"] != 1
    calls["alighting"] = calls["drop_off_type"] != 1
    idle = ~calls["boarding"] & ~calls["alighting"]
    log.add("dropped", "call_no_passengers", int(idle.sum()))
    calls = calls[~idle].reset_index(drop=True)
    first, _ = ends(calls)
    station = calls["station"].to_numpy()
    again = ~first & (station == np.append(-1, station[:-1])[: len(station)])
    log.add("repaired", "call_same_station", int(again.sum()))
    made = calls.groupby(np.cumsum(~again) - 1).agg(
        trip=("trip", "first"),
        begin=("begin", "first"),
        station=("station", "first"),
        arrival=("arrival", "first"),
        departure=("departure", "last"),
        boarding=("boarding", "any"),
        alighting=("alighting", "any"),
    )
    stays = made.groupby("trip")["station"].transform("size")
    short = np.unique(made["trip"].to_numpy()[stays < 2])
    log.add("dropped", "trip_one_stop", trips["trip_id"].to_numpy()[short])
    return made[stays >= 2].reset_index(drop=True)


def read_frequencies(feed: Feed, trips: pd.DataFrame, log: Log) -> pd.DataFrame:
    """Read which trips are run again and again: trip, begin, end, every; all in seconds."""
    table = feed.table("frequencies.txt").drop_duplicates(ignore_index=True)
    made = pd.DataFrame(
        {
            "trip": pd.Index(trips["trip_id"]).get_indexer(table["trip_id"]),
            "begin": [seconds(one) for one in table["start_time"]],
            "end": [seconds(one) for one in table["end_time"]],
            "every": [number(one) for one in table["headway_secs"]],
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
