"""Timetables in GTFS, read into stations, services and transfer times.

:mod:`~urbangeo.network.gtfsfeed` reads the files, :mod:`~urbangeo.network.gtfsstations` the
stations and :mod:`~urbangeo.network.gtfstrips` the trips of a day with their calls; here these
become services.

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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import InputError
from urbangeo.network.gtfsfeed import Feed, Log, open_feed
from urbangeo.network.gtfsstations import Stations, read_transfers
from urbangeo.network.gtfstrips import (
    Calendar,
    classes_by_type,
    ends,
    read_calls,
    read_frequencies,
    read_routes,
    read_trips,
)
from urbangeo.network.ingest import IngestReport
from urbangeo.network.tables import SERVICE_COLUMNS

__all__ = ["GtfsTables", "read_gtfs"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DAY = 86400
_DAYS_UNDER_WAY = 7  # a trip is looked for in the window up to so many days after it set out
_SHORTEST_RUN_MIN = 1 / 60
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")
_WEEKDAY_NAMES = "一二三四五六日"
_SERVICE_COLUMNS = (*SERVICE_COLUMNS, "route", "direction", "departures", "boarding", "alighting")


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
        If there is no such feed, it is damaged, has members that lead outside, unpacks to more
        than :data:`urbangeo.network.gtfsfeed.LARGEST_FEED`, or nothing runs on the date or in the
        window.
    TableError
        If a file or column is missing, an id stands twice with different content, a position is
        out of range or swapped, or a date cannot be read; all findings of a file at once.
    UnknownNameError
        If ``classes`` names a class of rail that is not known.
    """
    window, day, types = _window(start, end), _as_date(date), classes_by_type(classes)
    with open_feed(Path(path)) as feed:
        return _read(feed, day, window, types)


def _read(
    feed: Feed, day: dt.date | None, window: tuple[int, int], types: Mapping[int, str | None]
) -> GtfsTables:
    log = Log()
    stations = Stations(feed, log)
    routes = read_routes(feed, types, log)
    calendar = Calendar(feed, log)
    trips = read_trips(feed, routes, calendar, log)
    chosen = day is None
    day, active = _active(feed, day, window, trips, calendar)
    service = trips["service"].to_numpy()
    needed = (service >= 0) & np.logical_or.reduce([on[service] for on in active.values()])
    calls = read_calls(feed, trips, needed, stations, log)
    departures = _departures(calls, trips, active, window, read_frequencies(feed, trips, log))
    if not departures.any():
        hours = calls["departure"] / 3600
        raise InputError(
            f"{feed.path}: no train leaves a stop within the window of "
            f"{window[0] / 3600:g} to {window[1] / 3600:g} h; on this date they leave from "
            f"{hours.min():.1f} to {hours.max():.1f} h. Choose another window."
        )
    source = feed.source()
    services = _services(calls, departures, trips, routes, stations, window, source, log)
    used = np.unique(stations.stops.get_indexer(services["station"]))
    log.add("dropped", "station_unserved", calls["station"].nunique() - len(used))
    log.add("kept", "stations", len(used))
    return GtfsTables(
        nodes=stations.nodes(used, source),
        services=services,
        transfers=read_transfers(feed, stations, used, log),
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


def _active(
    feed: Feed,
    day: dt.date | None,
    window: tuple[int, int],
    trips: pd.DataFrame,
    calendar: Calendar,
) -> tuple[dt.date, dict[int, Bools]]:
    """Give the date, and which services run so many days before it, as the window needs it."""
    service = trips["service"].to_numpy()
    per_service = np.bincount(service[service >= 0], minlength=len(calendar.ids))
    first, last, busiest = calendar.span(per_service)
    day = day or busiest
    # a window that reaches over midnight needs the trips of the next day too
    shifts = range(-((window[1] - 1) // _DAY), _DAYS_UNDER_WAY + 1)
    active = {shift: calendar.active(day.toordinal() - shift) for shift in shifts}
    if not per_service[active[0]].any():
        raise InputError(
            f"{feed.path}: no trip of rail runs on {day} ({day:%A}); the feed has trips from "
            f"{first} to {last}. Name a date within these on which trains run."
        )
    return day, active


def _departures(
    calls: pd.DataFrame,
    trips: pd.DataFrame,
    active: Mapping[int, Bools],
    window: tuple[int, int],
    frequent: pd.DataFrame,
) -> Floats:
    """Count for each call how often its trip leaves there within the window."""
    trip = calls["trip"].to_numpy()
    time = calls["departure"].to_numpy(dtype=float)
    _, last = ends(calls)
    service = trips["service"].to_numpy()[trip]
    repeated = np.isin(trip, frequent["trip"])
    counted = np.zeros(len(calls))
    after = time - calls["begin"].to_numpy(dtype=float)
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
    departures: Floats,
    trips: pd.DataFrame,
    routes: pd.DataFrame,
    stations: Stations,
    window: tuple[int, int],
    source: str,
    log: Log,
) -> pd.DataFrame:
    """Make one service of the trips of a route and direction that call at the same stations.

    ``departures`` counts, for each call, how often it was made within the window.
    """
    starts = np.flatnonzero(ends(calls)[0])
    pattern = _patterns(calls, trips, starts)
    weight = np.maximum.reduceat(departures, starts)
    runs = np.bincount(pattern, weights=weight) > 0
    log.add("dropped", "service_outside_window", int((~runs).sum()))
    log.add("kept", "services", int(runs.sum()))
    made = _stops(calls, departures, starts, pattern, weight)
    is_first = made["place"] == 0
    is_last = made["pattern"] != made["pattern"].shift(-1)
    made["boarding"] = made["departures"] > 0
    made["alighting"] &= ~is_first
    fast = ~is_first & (made["run_min"] < _SHORTEST_RUN_MIN)
    log.add("repaired", "run_no_time", int(fast.sum()))
    made["run_min"] = made["run_min"].clip(lower=_SHORTEST_RUN_MIN).where(~is_first)
    made["dwell_min"] = made["dwell_min"].where(~is_first & ~is_last, 0.0)
    usual = made["departures"].where(made["boarding"]).groupby(made["pattern"])
    made["headway_min"] = (window[1] - window[0]) / 60 / usual.transform("median")
    log.add("noted", "stops_not_boarded", int((~made["boarding"] & ~is_last).sum()))
    made["station"] = stations.stops[made["station"]].to_numpy(dtype=object)
    made["seq"] = made["place"] + 1
    made["oneway"] = True
    made["status"], made["cite"], made["source"] = "已建成", "", source
    made["open_year"] = made["planned_year"] = np.nan
    made = _named(made, trips, routes)
    loops = made.duplicated(["service", "station"])
    log.add("noted", "service_twice_at_station", pd.unique(made.loc[loops, "service"]))
    return made[list(_SERVICE_COLUMNS)]


def _patterns(calls: pd.DataFrame, trips: pd.DataFrame, starts: Ints) -> Ints:
    """Number the pattern of each trip, in the order of routes, directions and trips."""
    heads = calls["trip"].to_numpy()[starts]
    route = trips["route"].to_numpy()[heads].tolist()
    direction = trips["direction_id"].to_numpy(dtype=object)[heads].tolist()
    stops = np.split(calls["station"].to_numpy(), starts[1:])
    known: dict[tuple[int, str, bytes], int] = {}
    pattern = np.empty(len(starts), dtype=np.int64)
    for one in sorted(range(len(starts)), key=lambda one: (route[one], direction[one])):
        key = (route[one], direction[one], stops[one].tobytes())
        pattern[one] = known.setdefault(key, len(known))
    return pattern


def _stops(
    calls: pd.DataFrame, departures: Floats, starts: Ints, pattern: Ints, weight: Floats
) -> pd.DataFrame:
    """Give one row for each stop of each pattern that runs, with medians over its trips.

    ``pattern`` and ``weight``, how often it was counted, are those of each trip.
    """
    sizes = np.diff(np.append(starts, len(calls)))
    most = int(sizes.max())
    place = np.arange(len(calls)) - np.repeat(starts, sizes)
    times: Floats = np.repeat(weight, sizes)
    counted = times > 0
    arrival, departure = calls["arrival"].to_numpy(), calls["departure"].to_numpy()
    run = np.where(place > 0, arrival - np.append(0, departure[:-1]), 0) / 60
    dwell = (departure - arrival) / 60
    key = (np.repeat(pattern, sizes) * most + place)[counted]
    keys, row, at = np.unique(key, return_index=True, return_inverse=True)
    row = np.flatnonzero(counted)[row]
    alighting = np.bincount(at, weights=calls["alighting"].to_numpy()[counted])
    return pd.DataFrame(
        {
            "pattern": keys // most,
            "place": keys % most,
            "trip": calls["trip"].to_numpy()[row],
            "station": calls["station"].to_numpy()[row],
            "run_min": _median(at, run[counted], times[counted]),
            "dwell_min": _median(at, dwell[counted], times[counted]),
            "departures": np.bincount(at, weights=departures[counted]),
            "alighting": alighting > 0,
        }
    )


def _named(made: pd.DataFrame, trips: pd.DataFrame, routes: pd.DataFrame) -> pd.DataFrame:
    """Add what the route tells, and number the services within it."""
    trip = made["trip"].to_numpy()
    table = routes.iloc[trips["route"].to_numpy()[trip]].reset_index(drop=True)
    names = table["route_short_name"].where(
        table["route_short_name"] != "", table["route_long_name"]
    )
    made["route"], made["class"] = table["route_id"], table["class"]
    made["name"] = names.where(names != "", table["route_id"])
    made["direction"] = trips["direction_id"].to_numpy(dtype=object)[trip]
    groups = made.loc[made["place"] == 0, ["pattern", "route"]]
    nth = pd.Series(groups.groupby("route").cumcount().to_numpy() + 1, index=groups["pattern"])
    made["service"] = made["route"] + "." + made["pattern"].map(nth).astype(str)
    return made


def _median(group: Ints, values: Floats, weights: Floats) -> Floats:
    """Weighted median of each group; of two values in the middle, their mean."""
    order = np.lexsort((values, group))
    group, values, weights = group[order], values[order], weights[order]
    total = np.cumsum(weights)
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    middle = (np.append(0.0, total[last[:-1]]) + total[last]) / 2
    low = np.searchsorted(total, middle, side="left")
    high = np.searchsorted(total, middle, side="right")
    made: Floats = (values[low] + values[high]) / 2
    return made
