"""The three tables of a network, read and checked: nodes, links, services.

Everything that is wrong with a table is found before anything is refused, and each finding
names the row and the column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas.api.types import union_categoricals

from urbangeo.crs import GEOD, WGS84, require_crs
from urbangeo.errors import TableError
from urbangeo.network.lines import Lines
from urbangeo.network.profiles import LINK_CLASSES, RAIL_CLASSES, ROAD_CLASSES, TERRAINS

__all__ = [
    "LINK_COLUMNS",
    "LINK_MODES",
    "NODE_COLUMNS",
    "SERVICE_COLUMNS",
    "STATUSES",
    "Tables",
    "categorical",
    "check_links",
    "check_services",
    "check_tables",
    "completed",
    "stacked",
    "trusted",
]

NODE_KINDS = ("junction", "interchange", "station", "place", "waypoint")
LINK_MODES = ("road", "rail")
STATUSES = ("已建成", "在建", "开工", "前期", "研究")
NODE_COLUMNS = (
    *("id", "kind", "name", "adcode", "terrain", "transfer_min", "source", "precision_m"),
)
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
    "oneway",
    "status",
    "open_year",
    "planned_year",
    "cite",
    "source",
)
_MODE_CLASSES = {"road": ROAD_CLASSES, "rail": RAIL_CLASSES}
_LOOSE_END_M = 100.0  # a drawn line may end this far from its nodes
_SHORTEST = 0.01  # of the drawn length: less is most likely kilometres given for metres
_TRUE, _FALSE = {"1", "1.0", "true", "yes", "t"}, {"", "0", "0.0", "false", "no", "f", "nan"}


@dataclass(frozen=True, eq=False)
class Tables:
    """Checked tables; immutable.

    Attributes
    ----------
    nodes
        :data:`NODE_COLUMNS`, ``lon`` and ``lat``, in the order given; further columns are kept.
    links
        :data:`LINK_COLUMNS` but for ``from`` and ``to``, in the order given; further columns are
        kept. ``mode``, ``class`` and ``status`` are categorical.
    tail, head
        Row numbers in ``nodes`` of each link's two ends.
    lines
        The drawn line of each link, from tail to head.
    services
        One row for each stop, ordered by service and ``seq``.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    lines: Lines
    services: pd.DataFrame
    stored_digest: str = ""

    @cached_property
    def chord_m(self) -> NDArray[np.float64]:
        """Geodesic length of each link's drawn line, metres."""
        return self.lines.length_m()

    @cached_property
    def lonlat(self) -> NDArray[np.float64]:
        """Longitude and latitude of the nodes, shape (n, 2)."""
        return np.column_stack([self.nodes["lon"], self.nodes["lat"]]).astype(float)

    def points(self, rows: NDArray[np.int64] | None = None) -> gpd.GeoSeries:
        """Give nodes as points, EPSG:4326, all of them or some rows."""
        lonlat = self.lonlat if rows is None else self.lonlat[rows]
        return gpd.GeoSeries(gpd.points_from_xy(lonlat[:, 0], lonlat[:, 1]), crs=WGS84)

    def codes(self, column: str) -> NDArray[np.int8]:
        """Number of each link's ``mode``, ``class`` or ``status`` in the list of known ones."""
        return np.asarray(self.links[column].cat.codes, dtype=np.int8)

    def by_class(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """Give each link the value of its class; NaN where there is none."""
        known = np.array([values.get(one, np.nan) for one in LINK_CLASSES])
        return known[self.codes("class")]

    @cached_property
    def is_road(self) -> NDArray[np.bool_]:
        """Whether each link is a road."""
        return np.asarray(self.codes("mode") == LINK_MODES.index("road"))

    @cached_property
    def oneway(self) -> NDArray[np.bool_]:
        """Whether each link leads from its tail to its head only."""
        return self.links["oneway"].to_numpy(dtype=bool)

    @cached_property
    def node_row(self) -> pd.Index:
        """Ids of the nodes, for looking up their rows."""
        index: pd.Index = pd.Index(self.nodes["id"])
        return index

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything in the tables that can change a travel time, in hexadecimal."""
        if self.stored_digest:
            return self.stored_digest
        sha = hashlib.sha256()
        for table, columns in ((self.nodes, ("id", "kind", "terrain")), (self.links, ("id",))):
            for column in columns:
                sha.update("\n".join(table[column].astype(object)).encode())
        for column in ("mode", "class", "status"):
            sha.update(self.codes(column).tobytes())
        numbers = (
            *(self.lonlat, self.tail, self.head, self.lines.xy, self.lines.offsets, self.oneway),
            *(self.links[one].to_numpy(dtype=float) for one in ("length_m", "speed_kmh")),
        )
        for part in numbers:
            sha.update(np.ascontiguousarray(part).tobytes())
        sha.update(self.services.to_csv(index=False).encode())
        return sha.hexdigest()

    @classmethod
    def read(cls, folder: str | Path) -> Tables:
        """Read ``nodes.csv``, ``links.csv`` and, where there are any, ``services.csv``.

        ``terrain.csv`` (``adcode``, ``terrain``) gives each node the terrain of its county where
        ``nodes.csv`` states none.

        Raises
        ------
        TableError
            If a file is missing, is not UTF-8, or holds anything that cannot be used.
        """
        folder = Path(folder)
        services, terrain = folder / "services.csv", folder / "terrain.csv"
        nodes = _read_csv(folder / "nodes.csv")
        if terrain.exists():
            nodes = _with_terrain(nodes, _read_csv(terrain), terrain)
        return check_tables(
            nodes,
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


def _with_terrain(nodes: pd.DataFrame, table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Give each node the terrain of its county."""
    sheet = _Sheet(table, ("adcode", "terrain"), ("adcode", "terrain"))
    if not sheet.fatal:
        codes = sheet.ids("adcode")
        kinds = sheet.one_of("terrain", TERRAINS)
    if sheet.findings:
        raise TableError(path, sheet.findings)
    if "adcode" not in nodes.columns:
        return nodes
    of_county = nodes["adcode"].map(dict(zip(codes, kinds, strict=True))).fillna("")
    if "terrain" in nodes.columns:
        of_county = nodes["terrain"].where(nodes["terrain"] != "", of_county)
    return nodes.assign(terrain=of_county)


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
    made_links, tail, head, lines = check_links(links, made_nodes, f"{where}: links")
    made_services = check_services(services, made_nodes, f"{where}: services")
    return Tables(made_nodes, made_links, tail, head, lines, made_services)


def _further(frame: pd.DataFrame, known: Collection[str]) -> dict[str, pd.Series]:
    """Columns that are not ours: they are kept as they are."""
    taken = {*known, "lon", "lat", "from", "to"}
    if isinstance(frame, gpd.GeoDataFrame):
        taken.add(frame.geometry.name)
    return {
        str(one): frame[one].reset_index(drop=True) for one in frame.columns if one not in taken
    }


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

    def flag(self, column: str) -> np.ndarray:
        """Give a column of 0 and 1 as booleans; empty is false."""
        text = self.text(column).str.lower()
        self.note(
            np.asarray(~text.isin(_TRUE | _FALSE)),
            lambda row: f"{column} is {text[row]!r}; 0 or 1 is expected",
        )
        return np.asarray(text.isin(_TRUE))

    def ids(self, column: str) -> pd.Series:
        text = self.text(column)
        self.note(np.asarray(text == ""), lambda row: f"{column} is empty")
        twice = np.asarray(text.duplicated() & (text != ""))
        self.note(twice, lambda row: f"{column} {text[row]!r} stands in an earlier row already")
        return text


def _check_nodes(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    geometric = isinstance(frame, gpd.GeoDataFrame)
    required = ("id", "kind") if geometric else ("id", "kind", "lon", "lat")
    sheet = _Sheet(frame, NODE_COLUMNS, required)
    if sheet.fatal:
        raise TableError(where, sheet.findings)
    out = pd.DataFrame({column: sheet.text(column) for column in NODE_COLUMNS})
    out["id"] = sheet.ids("id")
    out["kind"] = sheet.one_of("kind", NODE_KINDS)
    out["terrain"] = sheet.text("terrain")
    sheet.note(
        np.asarray(~out["terrain"].isin(("", *TERRAINS))),
        lambda row: f"terrain is {out['terrain'][row]!r}; known: {', '.join(TERRAINS)}",
    )
    for column in ("precision_m", "transfer_min"):
        out[column] = sheet.number(column)
    sheet.note(
        out["transfer_min"].to_numpy() < 0,
        lambda row: f"transfer_min is {out['transfer_min'][row]:g}; it must not be negative",
    )
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
    return out.assign(lon=lon, lat=lat, **_further(frame, out.columns))


def check_links(
    frame: pd.DataFrame, nodes: pd.DataFrame, where: str
) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64], Lines]:
    """Check links between checked nodes: the table, the rows of their ends, their lines."""
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
    out["oneway"] = sheet.flag("oneway")
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
    known = np.ones(len(out), dtype=bool)
    row_of = pd.Series(np.arange(len(nodes)), index=nodes["id"].to_numpy())
    for column in ("from", "to"):
        text = out[column]
        rows = np.asarray(row_of.reindex(text.to_numpy()), dtype=float)
        sheet.note(np.isnan(rows), partial(_no_node, column, text))
        known &= ~np.isnan(rows)
        ends.append(np.where(np.isnan(rows), 0, rows).astype(np.int64))
    tail, head = ends
    sheet.note(known & (tail == head), lambda row: f"leads from {out['from'][row]!r} to itself")
    if not len(out):
        sheet.findings.append("there is no row")
    if sheet.findings:
        raise TableError(where, sheet.findings)
    if isinstance(frame, gpd.GeoDataFrame):
        require_crs(frame, where)
        drawn = np.asarray(frame.geometry.reset_index(drop=True).to_crs(WGS84).array)
        lines = Lines.of(_check_lines(sheet, drawn, nodes, tail, head))
    else:
        xy = nodes[["lon", "lat"]].to_numpy(dtype=float)
        lines = Lines.straight(xy[tail], xy[head])
    chord = lines.length_m()
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
    out = out.drop(columns=["from", "to"]).assign(**_further(frame, out.columns))
    return categorical(out), tail, head, lines


def categorical(links: pd.DataFrame) -> pd.DataFrame:
    """Give the columns of few known values their fixed categories."""
    fixed = {
        column: pd.CategoricalDtype(list(values))
        for column, values in (("mode", LINK_MODES), ("class", LINK_CLASSES), ("status", STATUSES))
    }
    known = {
        column: links[column].cat.set_categories(kind.categories)
        for column, kind in fixed.items()
        if isinstance(links[column].dtype, pd.CategoricalDtype)
    }
    made = links.assign(**known).astype(fixed)
    for column, kind in fixed.items():
        unknown = made[column].isna()
        if unknown.any():
            found = links[column][unknown].iloc[0]
            raise TableError(
                "links", [f"{column} is {found!r}; known: {', '.join(kind.categories)}"]
            )
    return made


def _check_lines(
    sheet: _Sheet,
    lines: np.ndarray,
    nodes: pd.DataFrame,
    tail: np.ndarray,
    head: np.ndarray,
) -> np.ndarray:
    """Check that drawn lines lead from their tail to their head; turn those drawn backwards."""
    wrong = shapely.is_missing(lines) | shapely.is_empty(lines)
    wrong |= shapely.get_type_id(lines) != shapely.GeometryType.LINESTRING
    sheet.note(wrong, lambda row: "geometry is not a line")
    if wrong.any():
        raise TableError("links", sheet.findings)
    points = shapely.points(nodes[["lon", "lat"]].to_numpy(dtype=float))
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


def check_services(frame: pd.DataFrame | None, nodes: pd.DataFrame, where: str) -> pd.DataFrame:
    """Check services between checked nodes."""
    if frame is None or not len(frame):
        return completed(pd.DataFrame(), SERVICE_COLUMNS)
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
    for column in ("seq", "run_min", "dwell_min", "headway_min", "open_year", "planned_year"):
        out[column] = sheet.number(column)
    out["oneway"] = sheet.flag("oneway")
    out = out.assign(**_further(frame, out.columns))
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
        stops = rows["station"].to_numpy()
        if (stops[1:] == stops[:-1]).any():
            sheet.findings.append(
                f"{line} calls at a station twice running; give one stop its dwell"
            )
        for column in (
            "name",
            "class",
            "headway_min",
            "oneway",
            "status",
            "open_year",
            "planned_year",
        ):
            if len(rows[column].unique()) != 1:
                sheet.findings.append(f"{line}: {column} differs between its rows")
    if sheet.findings:
        raise TableError(where, sheet.findings)
    out["dwell_min"] = out["dwell_min"].fillna(0.0)
    return out.reset_index(drop=True)


def trusted(read: Any) -> Tables:
    """Take over the tables of a reader, which has checked and typed them.

    Parameters
    ----------
    read
        Has ``nodes`` (with ``lon`` and ``lat``), ``links`` (without ends), ``tail``, ``head``,
        ``xy``, ``offsets`` and, where there are any, ``services``.
    """
    services = getattr(read, "services", None)
    return Tables(
        completed(read.nodes, NODE_COLUMNS),
        categorical(completed(read.links, tuple(c for c in LINK_COLUMNS if c not in _ENDS))),
        np.asarray(read.tail, dtype=np.int64),
        np.asarray(read.head, dtype=np.int64),
        Lines(read.xy, read.offsets),
        completed(pd.DataFrame() if services is None else services, SERVICE_COLUMNS),
    )


_ENDS = ("from", "to")
_NUMBERS = frozenset(
    (
        *("lon", "lat", "precision_m", "transfer_min", "length_m", "speed_kmh"),
        *("open_year", "planned_year", "seq", "run_min", "dwell_min", "headway_min"),
    )
)
_FLAGS = frozenset(("oneway",))


def completed(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Put the known columns first and add those that a reader left out, empty."""
    frame = frame.reset_index(drop=True)
    n = len(frame)
    made = {}
    for column in columns:
        if column in frame.columns:
            made[column] = frame[column]
        elif column in _NUMBERS:
            made[column] = pd.Series(np.full(n, np.nan))
        elif column in _FLAGS:
            made[column] = pd.Series(np.zeros(n, dtype=bool))
        else:
            made[column] = pd.Series([""], dtype="str").repeat(n).reset_index(drop=True)
    return pd.DataFrame({**made, **{c: frame[c] for c in frame.columns if c not in made}})


def stacked(above: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """Put two tables of the same columns above each other; categories are joined."""
    n = len(above) + len(below)
    made: dict[str, Any] = {}
    for column in dict.fromkeys([*above.columns, *below.columns]):
        parts = [
            one[column] if column in one.columns else pd.Series([np.nan] * len(one), dtype=object)
            for one in (above, below)
        ]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            arrays: list[Any] = [parts[0].array, parts[1].array]
            if parts[0].dtype != parts[1].dtype:
                known = parts[0].cat.categories.dtype
                plain = parts[1].astype(object)  # told by value, whatever kind of column it was
                values = pd.Index(pd.unique(plain.dropna()), dtype=known)
                arrays[1] = pd.Categorical(plain, categories=values)
            made[column] = union_categoricals(arrays)
        elif not len(parts[1]):
            made[column] = parts[0].array
        else:
            made[column] = pd.concat(parts, ignore_index=True).array
    return pd.DataFrame(made, index=pd.RangeIndex(n))
