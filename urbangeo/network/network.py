"""The network: nodes, links and services as tables, and views of them that never change."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network.graph import ArcKind, Graph, build_graph
from urbangeo.network.profiles import Profile
from urbangeo.network.rail import rail_arcs
from urbangeo.network.tables import STATUSES, Tables, check_tables

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx
    import pandas as pd

__all__ = ["MODES", "Facts", "Network", "check_modes", "check_network"]

_T = TypeVar("_T")

MODES = ("road", "rail")
"""Modes that a question may be asked of, in any combination."""

BUILT = "已建成"


def check_modes(modes: Iterable[str]) -> tuple[str, ...]:
    """Put modes into their fixed order.

    Raises
    ------
    UnknownNameError
        If one is not known.
    InputError
        If there is none.
    """
    given = (modes,) if isinstance(modes, str) else tuple(modes)
    for mode in given:
        if mode not in MODES:
            raise UnknownNameError("mode", mode, MODES)
    if not given:
        raise InputError(f"No mode given; choose from {', '.join(MODES)}.")
    return tuple(mode for mode in MODES if mode in given)


def check_network(network: object) -> Network:
    """Refuse what is no network, such as a year.

    Raises
    ------
    InputError
        Saying how to make one.
    """
    if not isinstance(network, Network):
        raise InputError(
            f"network is {network!r}; a Network is expected, such as ug.Network.backbone(2022)."
        )
    return network


@dataclass(frozen=True)
class Facts:
    """What a network says of itself (``network.toml`` beside its tables).

    Attributes
    ----------
    title
        In Chinese.
    schematic
        True if it is a skeleton, so that what is drawn from it must say so.
    first_year, last_year
        Years for which the tables can tell what is open; None if they don't say.
    attribution
        Lines that a figure or report drawn from it must carry.
    error_share
        Share of the travel time by which it was found to err against published times, or None
        where it has not been compared.
    """

    title: str = "路网"
    schematic: bool = False
    first_year: int | None = None
    last_year: int | None = None
    attribution: tuple[str, ...] = ()
    error_share: float | None = None

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Read ``network.toml``; an unknown key or a value of another type is an error."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise NetworkError(f"{path} is not TOML in UTF-8: {error}.") from error
        findings = [f"unknown key {key!r}" for key in content if key not in _FACT_TYPES]
        for key, kinds in _FACT_TYPES.items():
            value = content.get(key)
            if value is not None and (
                not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)
            ):
                findings.append(f"{key} is {value!r}, which is of the wrong type")
        if findings:
            raise NetworkError(f"{path}: {'; '.join(findings)}.")
        content["attribution"] = tuple(map(str, content.get("attribution", ())))
        return cls(**content)


_FACT_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "schematic": bool,
    "first_year": int,
    "last_year": int,
    "attribution": list,
    "error_share": (int, float),
}


@dataclass(frozen=True, eq=False)
class Network:
    """A road and rail network, or a view of one; it never changes.

    Make one with :meth:`backbone`, :meth:`from_folder` or :meth:`from_tables`. A scenario
    (:meth:`at`, :meth:`where`, :meth:`without`, :meth:`scaled`, :meth:`with_profile`) is a new
    view that shares the tables.

    Attributes
    ----------
    profile
        The speed profile by which lengths become time.
    facts
        What the network says of itself.
    year
        Year at whose end the view stands, or None.
    history
        The steps by which the view was made, in words.
    """

    _tables: Tables = field(repr=False)
    profile: Profile
    facts: Facts = Facts()
    year: int | None = None
    history: tuple[str, ...] = ()
    _link_on: NDArray[np.bool_] | None = field(default=None, repr=False)
    _service_on: NDArray[np.bool_] | None = field(default=None, repr=False)
    _road_factor: float = field(default=1.0, repr=False)
    _derived: dict[tuple[str, tuple[str, ...]], Any] = field(
        default_factory=dict, repr=False, compare=False, init=False
    )

    # -- constructors ------------------------------------------------------------------------

    @classmethod
    def from_folder(
        cls, folder: str | Path, year: int | None = None, profile: str | None = None
    ) -> Network:
        """Read a network from a folder of tables.

        Parameters
        ----------
        folder
            Holds ``nodes.csv``, ``links.csv``, ``profiles.toml`` and, where there are any,
            ``services.csv`` and ``network.toml``.
        year
            Stand at the end of this year (:meth:`at`); every link, open or planned, if None.
        profile
            Speed profile; the file's default if None.

        Raises
        ------
        TableError
            If a table holds anything that cannot be used; all findings at once.
        NetworkError
            If the network does not know the year.
        """
        folder = Path(folder)
        facts = folder / "network.toml"
        net = cls(
            Tables.read(folder),
            Profile.read(folder / "profiles.toml", profile),
            Facts.read(facts) if facts.exists() else Facts(),
        )
        return net if year is None else net.at(year)

    @classmethod
    def backbone(cls, year: int | None = 2022, profile: str | None = None) -> Network:
        """Read the bundled skeleton of Guizhou, as open at the end of ``year``.

        It is hand-made and schematic: see ``layers/network/README.md`` for what to believe.
        """
        from urbangeo.catalog import data_folder

        return cls.from_folder(data_folder() / "network", year, profile)

    @classmethod
    def from_tables(
        cls,
        nodes: pd.DataFrame,
        links: pd.DataFrame,
        services: pd.DataFrame | None = None,
        *,
        profile: Profile | str | Path | None = None,
        facts: Facts | None = None,
    ) -> Network:
        """Make a network from tables of your own.

        Parameters
        ----------
        nodes, links, services
            As :func:`urbangeo.network.tables.check_tables` describes them.
        profile
            A profile, or a ``profiles.toml``; the bundled default if None.
        facts
            What the network says of itself.
        """
        if profile is None:
            from urbangeo.catalog import data_folder

            profile = data_folder() / "network" / "profiles.toml"
        made = profile if isinstance(profile, Profile) else Profile.read(profile)
        return cls(check_tables(nodes, links, services), made, facts or Facts())

    # -- tables ------------------------------------------------------------------------------

    @cached_property
    def link_rows(self) -> NDArray[np.int64]:
        """Rows of the links that the view holds, in the whole table."""
        return self._rows(self._tables.links, self._link_on)

    @cached_property
    def service_rows(self) -> NDArray[np.int64]:
        """Rows of the calls that the view holds, in the whole table."""
        return self._rows(self._tables.services, self._service_on)

    def _rows(self, table: pd.DataFrame, on: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Rows that are neither closed nor, at the view's year, not open yet."""
        kept = np.ones(len(table), dtype=bool) if on is None else on
        if self.year is not None and len(table):
            kept = kept & _open_by(table, self.year)
        rows: NDArray[np.int64] = np.flatnonzero(kept)
        return rows

    @property
    def nodes(self) -> gpd.GeoDataFrame:
        """Nodes, EPSG:4326; all of the tables, whichever links are open."""
        return self._tables.nodes.copy()

    @cached_property
    def _links(self) -> gpd.GeoDataFrame:
        links = self._tables.links.iloc[self.link_rows].reset_index(drop=True)
        links["length_m"] = self.length_m[self.link_rows]
        return links

    @property
    def links(self) -> gpd.GeoDataFrame:
        """Links of the view, EPSG:4326; ``length_m`` as used (stated, or chord x sinuosity)."""
        return self._links.copy()

    @property
    def services(self) -> pd.DataFrame:
        """Rail services of the view, one row for each call."""
        return self._tables.services.iloc[self.service_rows].reset_index(drop=True)

    @cached_property
    def length_m(self) -> NDArray[np.float64]:
        """Length of every link of the whole table, metres."""
        stated = self._tables.links["length_m"].to_numpy(dtype=float)
        classes = self._tables.links["class"]
        used = classes[np.isnan(stated)]
        missing = sorted(set(used) - set(self.profile.sinuosity))
        if missing:
            raise NetworkError(f"The profiles give no sinuosity for {', '.join(missing)}.")
        factor = classes.map(dict(self.profile.sinuosity)).to_numpy(dtype=float)
        length: NDArray[np.float64] = np.where(
            np.isnan(stated), self._tables.chord_m * factor, stated
        )
        length.setflags(write=False)
        return length

    @property
    def is_schematic(self) -> bool:
        """Whether what is drawn from it must be called 示意."""
        return self.facts.schematic

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the nodes, degrees."""
        west, south, east, north = self._tables.nodes.total_bounds
        return float(west), float(south), float(east), float(north)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a travel time, in hexadecimal."""
        sha = hashlib.sha256()
        t = self._tables
        sha.update(t.nodes[["id", "kind"]].to_csv(index=False).encode())
        sha.update(np.ascontiguousarray(t.nodes.geometry.x).tobytes())
        sha.update(np.ascontiguousarray(t.nodes.geometry.y).tobytes())
        sha.update(b"".join(shapely.to_wkb(t.links.geometry.to_numpy())))
        for part in (self.link_rows, t.tail, t.head, self.length_m, self.service_rows):
            sha.update(np.ascontiguousarray(part).tobytes())
        sha.update(
            t.links[["id", "mode", "class", "oneway", "speed_kmh"]].to_csv(index=False).encode()
        )
        sha.update(t.services.to_csv(index=False).encode())
        sha.update(f"{self.profile.as_text()};{self._road_factor!r}".encode())
        return sha.hexdigest()

    def describe(self) -> Mapping[str, Any]:
        """What every result made from the network carries: year, profile, digest, attribution."""
        from urbangeo._version import __version__

        return MappingProxyType(
            {
                "title": self.facts.title,
                "year": self.year,
                "profile": self.profile.name,
                "profile_title": self.profile.title,
                "digest": self.digest,
                "schematic": self.facts.schematic,
                "error_share": self.facts.error_share,
                "attribution": list(self.facts.attribution),
                "history": list(self.history),
                "urbangeo": __version__,
            }
        )

    # -- views -------------------------------------------------------------------------------

    def at(self, year: int) -> Network:
        """Give the network at the end of a year.

        A link or service is in it if it had opened by then (``open_year``), has no
        ``open_year`` and is 已建成, or has not opened yet and was promised by then
        (``planned_year``).

        Raises
        ------
        NetworkError
            If the year is outside those for which the tables can tell.
        """
        if isinstance(year, bool) or not isinstance(year, int | np.integer):
            raise InputError(f"year is {year!r}; a whole number such as 2022 is expected.")
        first, last = self.facts.first_year, self.facts.last_year
        if first is None and last is None:
            opened = self._tables.links["open_year"].dropna()
            if opened.empty or year < opened.min():
                raise NetworkError(
                    f"{self.facts.title} cannot tell what was open at the end of {year}: "
                    + (
                        "no link has an open_year."
                        if opened.empty
                        else f"the earliest open_year is {opened.min():.0f}."
                    )
                    + " Give open_year, or first_year and last_year in network.toml."
                )
        if (first is not None and year < first) or (last is not None and year > last):
            raise NetworkError(
                f"{self.facts.title} cannot tell what was open at the end of {year}; "
                f"it covers {first} to {last}."
            )
        return self._view(f"at({year})", year=int(year))

    def where(self, status: str | Collection[str]) -> Network:
        """Keep links and services whose status is one of the plan's verbs given.

        Raises
        ------
        UnknownNameError
            If a status is not one of 已建成, 在建, 开工, 前期, 研究.
        """
        wanted = [status] if isinstance(status, str) else list(status)
        for one in wanted:
            if one not in STATUSES:
                raise UnknownNameError("status", one, STATUSES)
        services = self._tables.services
        return self._view(
            f"where(status={wanted})",
            links=np.asarray(self._tables.links["status"].isin(wanted)),
            services=np.asarray(services["status"].isin(wanted)),
        )

    def without(self, links: str | Collection[str]) -> Network:
        """Close road links or rail services, by id.

        Raises
        ------
        UnknownNameError
            If the view has no road link and no service of that id.
        NetworkError
            If it is a piece of railway: trains run by services, not by links.
        """
        closed = [links] if isinstance(links, str) else list(links)
        held = self._links
        railway = set(held.loc[held["mode"] == "rail", "id"])
        known = (set(held["id"]) - railway) | set(self.services["service"])
        for one in closed:
            if one in railway:
                raise NetworkError(
                    f"{one!r} is a piece of railway. Trains run from station to station, so "
                    "closing it stops none; give the ids of the services that it would stop."
                )
            if one not in known:
                raise UnknownNameError("road link or service", one, known)
        return self._view(
            f"without({closed})",
            links=np.asarray(~self._tables.links["id"].isin(closed)),
            services=np.asarray(~self._tables.services["service"].isin(closed)),
        )

    def scaled(self, factor: float) -> Network:
        """Multiply every road speed by a factor; rail keeps its timetable.

        Raises
        ------
        InputError
            If the factor is not above 0 and finite.
        """
        if not (isinstance(factor, int | float) and math.isfinite(factor) and factor > 0):
            raise InputError(f"factor is {factor!r}; a finite number above 0 is expected.")
        return replace(
            self,
            _road_factor=self._road_factor * float(factor),
            history=(*self.history, f"scaled({factor:g})"),
        )

    def _view(
        self,
        step: str,
        *,
        links: NDArray[np.bool_] | None = None,
        services: NDArray[np.bool_] | None = None,
        year: int | None = None,
    ) -> Network:
        """Make a view in which more is closed, or that stands at another year."""

        def both(
            one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None
        ) -> NDArray[np.bool_] | None:
            return other if one is None else one if other is None else one & other

        view = replace(
            self,
            _link_on=both(self._link_on, links),
            _service_on=both(self._service_on, services),
            year=self.year if year is None else year,
            history=(*self.history, step),
        )
        if not len(view.link_rows):
            raise NetworkError(f"{step} leaves no link of {self.facts.title}.")
        return view

    # -- the graph ---------------------------------------------------------------------------

    @cached_property
    def speed_kmh(self) -> NDArray[np.float64]:
        """Speed on every link of the whole table, km/h; NaN for rail, which has a timetable.

        Where a link states a speed, the profile's share of it; elsewhere its class's.
        """
        classes = self._tables.links["class"]
        road = self._tables.links["mode"] == "road"
        missing = sorted(set(classes[road]) - set(self.profile.road_kmh))
        if missing:
            raise NetworkError(
                f"Profile {self.profile.name!r} gives no speed for {', '.join(missing)}."
            )
        speed: NDArray[np.float64] = classes.map(dict(self.profile.road_kmh)).to_numpy(dtype=float)
        stated = self._tables.links["speed_kmh"].to_numpy(dtype=float)
        speed = np.where(np.isnan(stated), speed, stated * self.profile.stated_share)
        speed = speed * self._road_factor
        speed.setflags(write=False)
        return speed

    def access_ms(self, metres: float) -> int:
        """Time of a leg off the network, whole milliseconds; ``metres`` as the crow flies."""
        return round(self.profile.access.milliseconds(metres) / self._road_factor)

    def graph(self, modes: Iterable[str] = MODES) -> Graph:
        """Compile the view for a set of modes; compiled once.

        Raises
        ------
        NetworkError
            If the view has no link or service of these modes.
        """
        chosen = check_modes(modes)
        return self.derived("graph", chosen, lambda: self._compile(chosen))

    def derived(self, what: str, modes: tuple[str, ...], make: Callable[[], _T]) -> _T:
        """Give what was made of this view before, or make it and keep it with the view."""
        key = (what, modes)
        if key not in self._derived:
            self._derived[key] = make()
        made: _T = self._derived[key]
        return made

    def _compile(self, modes: tuple[str, ...]) -> Graph:
        t = self._tables
        n = n_vertices = len(t.nodes)
        parts: list[tuple[NDArray[Any], ...]] = []
        if "road" in modes:
            rows = self.link_rows[np.asarray(t.links["mode"].iloc[self.link_rows] == "road")]
            cost = self.length_m[rows] * 3600.0 / self.speed_kmh[rows]
            both = rows[~t.links["oneway"].to_numpy(dtype=bool)[rows]]
            cost_both = cost[~t.links["oneway"].to_numpy(dtype=bool)[rows]]
            road = np.full(len(rows) + len(both), ArcKind.ROAD, dtype=np.int8)
            parts.append(
                (
                    np.concatenate([t.tail[rows], t.head[both]]),
                    np.concatenate([t.head[rows], t.tail[both]]),
                    np.concatenate([cost, cost_both]),
                    road,
                    np.concatenate([rows, both]),
                )
            )
        if "rail" in modes and len(self.service_rows):
            services = t.services.iloc[self.service_rows]
            node_of = dict(zip(t.nodes["id"], range(n), strict=True))
            station = np.full(len(t.services), -1, dtype=np.int64)
            station[self.service_rows] = [node_of[one] for one in services["station"]]
            rail = rail_arcs(services, station, n, self.profile)
            n_vertices += len(rail.vertex_node)
            parts.append((rail.tail, rail.head, rail.cost_ms, rail.kind, rail.item))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        if not columns or not len(columns[0]):
            raise NetworkError(f"{self.facts.title} has no link for the modes {', '.join(modes)}.")
        return build_graph(n, n_vertices, *columns)

    def to_networkx(self) -> nx.MultiDiGraph:
        """Give the road and rail links as a directed multigraph of networkx.

        Nodes are the ids with all columns; each link gives one edge, or two if it is not
        one-way, keyed by its id, with all columns, ``length_m`` and, for roads, ``minutes``.
        """
        import networkx as nx

        graph = nx.MultiDiGraph(crs="EPSG:4326")
        for row in self.nodes.to_dict("records"):
            point = row.pop("geometry")
            graph.add_node(row.pop("id"), x=point.x, y=point.y, **row)
        minutes = self.length_m * 0.06 / self.speed_kmh
        for row, place in zip(self.links.to_dict("records"), self.link_rows, strict=True):
            tail, head = row.pop("from"), row.pop("to")
            key = row["id"]
            if row["mode"] == "road":
                row["minutes"] = float(minutes[place])
            graph.add_edge(tail, head, key=key, **row)
            if not row["oneway"]:
                line = row.pop("geometry").reverse()
                graph.add_edge(head, tail, key=key, geometry=line, **row)
        return graph


def _open_by(table: pd.DataFrame, year: int) -> NDArray[np.bool_]:
    """Tell which rows are open at the end of a year."""
    opened = table["open_year"].to_numpy(dtype=float)
    unknown = np.isnan(opened)
    done = (table["status"] == BUILT).to_numpy()
    open_now = (opened <= year) | (unknown & done)
    if "planned_year" in table.columns:
        planned = table["planned_year"].to_numpy(dtype=float)
        open_now |= unknown & ~done & (planned <= year)
    return np.asarray(open_now, dtype=bool)
