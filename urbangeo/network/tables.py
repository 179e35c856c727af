"""The three tables of a network, read and checked: nodes, links, services.

Everything that is wrong with a table is found before anything is refused, and each finding
names the row and the column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from urbangeo.crs import GEOD, WGS84, require_crs
from urbangeo.errors import TableError
from urbangeo.network.profiles import LINK_CLASSES, RAIL_CLASSES, ROAD_CLASSES

__all__ = ["LINK_COLUMNS", "NODE_COLUMNS", "SERVICE_COLUMNS", "STATUSES", "Tables", "check_tables"]

NODE_KINDS = ("junction", "interchange", "station", "place", "waypoint")
LINK_MODES = ("road", "rail")
STATUSES = ("已建成", "在建", "开工", "前期", "研究")
NODE_COLUMNS = ("id", "kind", "name", "adcode", "source", "precision_m")
LINK_COLUMNS = (
    "id",
    "from",
    "to",
    "mode",
    "class",
    "ref",
    "name",
    "length_m",
    "speed_kmh",
    "oneway",
    "status",
    "open_year",
    "planned_year",
    "cite",
    "source",
    "precision_m",
)
SERVICE_COLUMNS = (
    "service",
    "name",
    "class",
    "seq",
    "station",
    "run_min",
    "dwell_min",
    "headway_min",
    "status",
    "open_year",
    "source",
)
_MODE_CLASSES = {"road": ROAD_CLASSES, "rail": RAIL_CLASSES}
_LOOSE_END_M = 100.0  # a drawn line may end this far from its nodes
_SHORTEST = 0.01  # of the drawn length: less is most likely kilometres given for metres
_TRUE, _FALSE = {"1", "1.0", "true", "yes", "t"}, {"", "0", "0.0", "false", "no", "f", "nan"}


@dataclass(frozen=True, eq=False)
class Tables:
    """Checked tables; links carry ``length_m`` and the row numbers of their end nodes.

    Attributes
    ----------
    nodes, links
        EPSG:4326, one row each, in the order given.
    services
        One row for each stop, ordered by service and ``seq``.
    tail, head
        Row numbers in ``nodes`` of each link's two ends.
    chord_m
        Geodesic length of each link's drawn line, metres.
    """

    nodes: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    services: pd.DataFrame
    tail: np.ndarray
    head: np.ndarray
    chord_m: np.ndarray

    @classmethod
    def read(cls, folder: str | Path) -> Tables:
        """Read ``nodes.csv``, ``links.csv`` and, where there is one, ``services.csv``.

        Raises
        ------
        TableError
            If a file is missing, is not UTF-8, or holds anything that cannot be used.
        """
        folder = Path(folder)
        services = folder / "services.csv"
        return check_tables(
            _read_csv(folder / "nodes.csv"),
            _read_csv(folder / "links.csv"),
            _read_csv(services) if services.exists() else None,
            where=str(folder),
        )


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a table as text; numbers are made where they can be checked."""
    if not path.is_file():
        raise TableError(path, ["there is no such file"])
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(
            path, [f"not UTF-8 (byte {error.start}); save it as UTF-8, not as GB18030"]
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(path, [f"not a readable CSV: {error}"]) from error


def check_tables(
    nodes: pd.DataFrame,
    links: pd.DataFrame,
    services: pd.DataFrame | None = None,
    where: str = "network",
) -> Tables:
    """Check the tables of a network and give them their types.

    Parameters
    ----------
    nodes
        Columns of :data:`NODE_COLUMNS` and either a point geometry (any CRS) or ``lon`` and
        ``lat`` (degrees, WGS 84). Only ``id``, ``kind`` and the position are required.
    links
        Columns of :data:`LINK_COLUMNS`; ``id``, ``from``, ``to``, ``mode`` and ``class`` are
        required. A line geometry may be given; without one a link is straight.
    services
        Columns of :data:`SERVICE_COLUMNS`, or None.
    where
        Name to use in errors.

    Raises
    ------
    TableError
        With every finding: missing columns, duplicate or empty ids, unknown nodes, kinds,
        modes, classes or statuses, NaN, negative or zero lengths and times.
    CRSError
        If a geometry column has no CRS.
    """
    made_nodes = _check_nodes(nodes, f"{where}: nodes")
    made_links, tail, head, chord = _check_links(links, made_nodes, f"{where}: links")
    made_services = _check_services(services, made_nodes, f"{where}: services")
    return Tables(made_nodes, made_links, made_services, tail, head, chord)


class _Sheet:
    """One table under inspection: columns as text or numbers, and the findings."""

    def __init__(self, frame: pd.DataFrame, columns: tuple[str, ...], required: tuple[str, ...]):
        self.frame = frame.reset_index(drop=True)
        self.findings = [
            f"column {column!r} is missing; found: {', '.join(map(str, frame.columns))}"
            for column in required
            if column not in frame.columns
        ]
        self.columns = columns
        self.fatal = bool(self.findings)

    def note(self, rows: np.ndarray, say: Callable[[int], str]) -> None:
        """Note a finding for each row where ``rows`` is true; the first data row is row 2."""
        self.findings += [f"row {row + 2}: {say(row)}" for row in np.flatnonzero(rows).tolist()]

    def text(self, column: str) -> pd.Series:
        if column not in self.frame.columns:
            return pd.Series([""] * len(self.frame), dtype=str)
        series = self.frame[column]
        return series.astype(object).where(series.notna(), "").astype(str).str.strip()

    def number(self, column: str) -> np.ndarray:
        """Give a column as floats, NaN where empty; what is no number is noted."""
        text = self.text(column)
        values = np.asarray(pd.to_numeric(text, errors="coerce"), dtype=float)
        empty = np.asarray(text == "")
        self.note(
            ~empty & ~np.isfinite(values),
            lambda row: f"{column} is {text[row]!r}; a finite number is expected",
        )
        return values

    def one_of(self, column: str, known: tuple[str, ...], default: str = "") -> pd.Series:
        text = self.text(column)
        if default:
            text = text.where(text != "", default)
        self.note(
            np.asarray(~text.isin(known)),
            lambda row: f"{column} is {text[row]!r}; known: {', '.join(known)}",
        )
        return text

    def ids(self, column: str) -> pd.Series:
        text = self.text(column)
        self.note(np.asarray(text == ""), lambda row: f"{column} is empty")
        twice = np.asarray(text.duplicated() & (text != ""))
        self.note(twice, lambda row: f"{column} {text[row]!r} stands in an earlier row already")
        return text


def _check_nodes(frame: pd.DataFrame, where: str) -> gpd.GeoDataFrame:
    geometric = isinstance(frame, gpd.GeoDataFrame)
    required = ("id", "kind") if geometric else ("id", "kind", "lon", "lat")
    sheet = _Sheet(frame, NODE_COLUMNS, required)
    if sheet.fatal:
        raise TableError(where, sheet.findings)
    out = pd.DataFrame({column: sheet.text(column) for column in NODE_COLUMNS})
    out["id"] = sheet.ids("id")
    out["kind"] = sheet.one_of("kind", NODE_KINDS)
    out["precision_m"] = sheet.number("precision_m")
    if geometric:
        require_crs(frame, where)
        points = frame.geometry.reset_index(drop=True).to_crs(WGS84)
        wrong = np.asarray(points.isna() | points.is_empty | (points.geom_type != "Point"))
        sheet.note(wrong, lambda row: "geometry is not a point")
        xy = shapely.get_coordinates(np.where(wrong, shapely.Point(0, 0), points.to_numpy()))
        lon, lat = xy[:, 0], xy[:, 1]
    else:
        lon, lat = sheet.number("lon"), sheet.number("lat")
        sheet.note(np.isnan(lon) | np.isnan(lat), lambda row: "lon or lat is empty")
    swapped = (np.abs(lat) > 90) & (np.abs(lon) <= 90)
    sheet.note(
        swapped,
        lambda row: f"lon {lon[row]}, lat {lat[row]}: longitude and latitude look swapped",
    )
    sheet.note(
        ~swapped & ((np.abs(lat) > 90) | (np.abs(lon) > 180)),
        lambda row: f"lon {lon[row]}, lat {lat[row]} are not degrees on the Earth",
    )
    if not len(out):
        sheet.findings.append("there is no row")
    if sheet.findings:
        raise TableError(where, sheet.findings)
    return gpd.GeoDataFrame(out, geometry=gpd.points_from_xy(lon, lat), crs=WGS84)


def _check_links(
    frame: pd.DataFrame, nodes: gpd.GeoDataFrame, where: str
) -> tuple[gpd.GeoDataFrame, np.ndarray, np.ndarray, np.ndarray]:
    sheet = _Sheet(frame, LINK_COLUMNS, ("id", "from", "to", "mode", "class"))
    if sheet.fatal:
        raise TableError(where, sheet.findings)
    out = pd.DataFrame({column: sheet.text(column) for column in LINK_COLUMNS})
    out["id"] = sheet.ids("id")
    out["mode"] = mode = sheet.one_of("mode", LINK_MODES)
    out["class"] = kind = sheet.one_of("class", LINK_CLASSES)
    fits = [
        not (m in LINK_MODES and c in LINK_CLASSES) or c in _MODE_CLASSES[m]
        for m, c in zip(mode, kind, strict=True)
    ]
    sheet.note(
        ~np.array(fits, dtype=bool),
        lambda row: f"class {kind[row]!r} does not go with mode {mode[row]!r}",
    )
    out["status"] = sheet.one_of("status", STATUSES, default="已建成")
    oneway = sheet.text("oneway").str.lower()
    sheet.note(
        np.asarray(~oneway.isin(_TRUE | _FALSE)),
        lambda row: f"oneway is {oneway[row]!r}; 0 or 1 is expected",
    )
    out["oneway"] = np.asarray(oneway.isin(_TRUE))
    for column in ("open_year", "planned_year", "precision_m"):
        out[column] = sheet.number(column)
    length = sheet.number("length_m")
    sheet.note(
        length <= 0, lambda row: f"length_m is {length[row]:g}; it must be above 0, or empty"
    )
    out["length_m"] = length
    speed = sheet.number("speed_kmh")
    sheet.note(speed <= 0, lambda row: f"speed_kmh is {speed[row]:g}; it must be above 0, or empty")
    out["speed_kmh"] = speed
    ends = []
    row_of = pd.Series(np.arange(len(nodes)), index=nodes["id"].to_numpy())
    for column in ("from", "to"):
        text = out[column]
        rows = np.asarray(row_of.reindex(text.to_numpy()), dtype=float)
        sheet.note(np.isnan(rows), partial(_no_node, column, text))
        ends.append(np.where(np.isnan(rows), 0, rows).astype(np.int64))
    tail, head = ends
    known = np.asarray(out["from"].isin(row_of.index) & out["to"].isin(row_of.index))
    sheet.note(known & (tail == head), lambda row: f"leads from {out['from'][row]!r} to itself")
    if not len(out):
        sheet.findings.append("there is no row")
    if sheet.findings:
        raise TableError(where, sheet.findings)
    if isinstance(frame, gpd.GeoDataFrame):
        require_crs(frame, where)
        drawn = np.asarray(frame.geometry.reset_index(drop=True).to_crs(WGS84).array)
        lines = _check_lines(sheet, drawn, nodes, tail, head)
    else:
        xy = shapely.get_coordinates(nodes.geometry.to_numpy())
        lines = shapely.linestrings(np.stack([xy[tail], xy[head]], axis=1))
    chord = _line_lengths(lines)
    sheet.note(
        ~(chord > 0) & np.isnan(length),
        lambda row: "its ends lie in one point, so it has no length; give length_m",
    )
    sheet.note(
        length < _SHORTEST * chord,
        lambda row: (
            f"length_m is {length[row]:g}, but it is drawn {chord[row]:.0f} m long; "
            "metres are expected"
        ),
    )
    if sheet.findings:
        raise TableError(where, sheet.findings)
    return gpd.GeoDataFrame(out, geometry=lines, crs=WGS84), tail, head, chord


def _check_lines(
    sheet: _Sheet,
    lines: np.ndarray,
    nodes: gpd.GeoDataFrame,
    tail: np.ndarray,
    head: np.ndarray,
) -> np.ndarray:
    """Check that drawn lines lead from their tail to their head; turn those drawn backwards."""
    wrong = shapely.is_missing(lines) | shapely.is_empty(lines)
    wrong |= shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING
    sheet.note(wrong, lambda row: "geometry is not a line")
    if wrong.any():
        raise TableError("links", sheet.findings)
    points = nodes.geometry.to_numpy()
    starts, ends = shapely.get_point(lines, 0), shapely.get_point(lines, -1)

    def metres(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        a, b = shapely.get_coordinates(one), shapely.get_coordinates(other)
        return np.asarray(GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2])

    forward = np.maximum(metres(starts, points[tail]), metres(ends, points[head]))
    backward = np.maximum(metres(starts, points[head]), metres(ends, points[tail]))
    off = np.minimum(forward, backward)
    sheet.note(
        off > _LOOSE_END_M,
        lambda row: (
            f"its line ends {off[row]:.0f} m from its nodes; {_LOOSE_END_M:.0f} m are allowed"
        ),
    )
    turned = np.where(backward < forward, shapely.reverse(lines), lines)
    return np.asarray(turned)


def _no_node(column: str, names: pd.Series, row: int) -> str:
    return f"{column} names {names[row]!r}, which is no node"


def _line_lengths(lines: np.ndarray) -> np.ndarray:
    """Geodesic lengths of WGS 84 lines, metres, in one call for all segments."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        return np.zeros(len(lines))
    same = owner[1:] == owner[:-1]
    _, _, metres = GEOD.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    total: np.ndarray = np.bincount(
        owner[1:][same], weights=np.asarray(metres)[same], minlength=len(lines)
    )
    return total


def _check_services(
    frame: pd.DataFrame | None, nodes: gpd.GeoDataFrame, where: str
) -> pd.DataFrame:
    if frame is None or not len(frame):
        return pd.DataFrame({column: pd.Series(dtype=object) for column in SERVICE_COLUMNS})
    sheet = _Sheet(
        frame,
        SERVICE_COLUMNS,
        ("service", "class", "seq", "station", "run_min", "dwell_min", "headway_min"),
    )
    if sheet.fatal:
        raise TableError(where, sheet.findings)
    out = pd.DataFrame({column: sheet.text(column) for column in SERVICE_COLUMNS})
    sheet.note(np.asarray(out["service"] == ""), lambda row: "service is empty")
    out["class"] = sheet.one_of("class", RAIL_CLASSES)
    out["status"] = sheet.one_of("status", STATUSES, default="已建成")
    for column in ("seq", "run_min", "dwell_min", "headway_min", "open_year"):
        out[column] = sheet.number(column)
    stations = set(nodes.loc[nodes["kind"] == "station", "id"])
    sheet.note(
        np.asarray(~out["station"].isin(stations)),
        lambda row: f"station {out['station'][row]!r} is no node of kind station",
    )
    headway, dwell = out["headway_min"].to_numpy(), out["dwell_min"].to_numpy()
    sheet.note(~(headway > 0), lambda row: f"headway_min is {headway[row]:g}; it must be above 0")
    sheet.note(dwell < 0, lambda row: f"dwell_min is {dwell[row]:g}; it must not be negative")
    order = np.lexsort((out["seq"].to_numpy(), out["service"].astype(str).to_numpy()))
    out = out.iloc[order]
    for service, rows in out.groupby("service", sort=False):
        line = f"service {service!r}"
        if list(rows["seq"]) != list(range(1, len(rows) + 1)):
            sheet.findings.append(f"{line}: seq is not 1, 2, 3 … without gaps")
        if len(rows) < 2:
            sheet.findings.append(f"{line} has {len(rows)} stop; at least two are needed")
        if not (rows["run_min"].iloc[1:] > 0).all():
            sheet.findings.append(f"{line}: run_min must be above 0 at every stop after the first")
        if rows["station"].duplicated().any():
            sheet.findings.append(f"{line} calls at a station twice; split it into two services")
        for column in ("name", "class", "headway_min", "status", "open_year"):
            if len(rows[column].unique()) != 1:
                sheet.findings.append(f"{line}: {column} differs between its rows")
    if sheet.findings:
        raise TableError(where, sheet.findings)
    out["dwell_min"] = out["dwell_min"].fillna(0.0)
    return out.reset_index(drop=True)
