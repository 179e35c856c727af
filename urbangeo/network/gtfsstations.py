"""Stations of a timetable in GTFS: where they are, their stops, how long a change takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import TableError
from urbangeo.network.gtfsfeed import Feed, Log, number, unique_rows

__all__ = ["Stations", "read_transfers"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NORTHERNMOST = 83.0  # nobody lives beyond, so a latitude above it is a longitude
_NESTED = 3  # boarding area, platform, station: nothing is nested deeper


class Stations:
    """Stations of a feed, and to which of them each stop belongs.

    Attributes
    ----------
    stops
        Ids of all stops, stations among them; the following are in their order.
    name
        Names.
    root
        Row of the station that each belongs to; its own if to none.
    lon, lat
        Degrees; NaN where nobody knows. A station without a position lies amid its stops.
    station
        Row of the station that a call of a stop leads to; -1 if nobody knows where that is.
    """

    def __init__(self, feed: Feed, log: Log) -> None:
        where = f"{feed.path}/stops.txt"
        table = unique_rows(feed.table("stops.txt"), "stop_id", where, log)
        log.add("read", "stops", len(table))
        self.stops = pd.Index(table["stop_id"])
        self.name = table["stop_name"].to_numpy(dtype=object)
        self.root = _roots(self.stops, table["parent_station"], log)
        self.lon, self.lat = _positions(table, where, log)
        served = table["location_type"].isin(["", "0", "4"]).to_numpy()
        self._place_amid_stops(served, log)
        placed = np.isfinite(self.lon[self.root])
        self.station: Ints = np.where(placed, self.root, -1)

    def _place_amid_stops(self, served: NDArray[np.bool_], log: Log) -> None:
        known = np.isfinite(self.lon)
        of, size = self.root[known & served], len(self.root)
        count = np.bincount(of, minlength=size)
        amid = ~known & (count > 0) & (self.root == np.arange(size))
        for degrees in (self.lon, self.lat):
            total = np.bincount(of, degrees[known & served], minlength=size)
            degrees[amid] = total[amid] / count[amid]
        log.add("repaired", "station_amid_stops", self.stops[amid])

    def nodes(self, rows: Ints, source: str) -> pd.DataFrame:
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


def _roots(stops: pd.Index, parents: pd.Series, log: Log) -> Ints:
    """Row of the station of each stop; its own if it has none, or if its parents go round."""
    parent = stops.get_indexer(pd.Index(parents))
    lost = (parent < 0) & (parents != "").to_numpy()
    log.add("repaired", "stop_parent_unknown", stops[lost])
    own = np.arange(len(parent))
    root = own
    for _ in range(_NESTED):
        root = np.where(parent[root] >= 0, parent[root], root)
    endless = parent[root] >= 0
    log.add("repaired", "stop_parents_endless", stops[endless])
    made: Ints = np.where(endless, own, root)
    return made


def _positions(table: pd.DataFrame, where: str, log: Log) -> tuple[Floats, Floats]:
    """Longitude and latitude of each stop, NaN where there is none; all that is wrong at once."""
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

    numeric = np.isfinite(lon) & np.isfinite(lat)
    swapped = numeric & (np.abs(lat) > _NORTHERNMOST) & (np.abs(lon) <= 90)
    far = numeric & ~swapped & ((np.abs(lon) > 180) | (np.abs(lat) > 90))
    findings = say(~empty & ~numeric, "are not numbers")
    findings += say(swapped, "look swapped; exchange the two columns")
    findings += say(far, "are not degrees on the Earth")
    if findings:
        raise TableError(where, findings)
    null = numeric & (lon == 0) & (lat == 0)
    log.add("repaired", "stop_at_zero", ids[null])
    bad = ~numeric | null
    return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)


def read_transfers(feed: Feed, stations: Stations, used: Ints, log: Log) -> pd.DataFrame:
    """Read the least time to change at each of the stations that are used.

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
    minutes = np.array([number(one) for one in table["min_transfer_time"]]) / 60
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
