"""The network: nodes, links and services as tables, and views of them that never change."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network.compile import compile_graph, rough
from urbangeo.network.facts import Facts
from urbangeo.network.graph import Graph
from urbangeo.network.profiles import LINK_CLASSES, AccessRule, Profile
from urbangeo.network.tables import STATUSES, Tables, check_tables, trusted

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx
    import pandas as pd

    from urbangeo.network.ingest import IngestReport
    from urbangeo.network.slopes import Slopes

__all__ = ["MODES", "MODES_KNOWN", "Network", "check_modes", "check_network"]

_T = TypeVar("_T")

MODES = ("road", "rail")
"""Modes by which one travels unless others are named."""

MODES_KNOWN = ("road", "walk", "rail")
"""Modes that a question may be asked of, in any combination."""

_OSM_SUFFIXES = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
_BUILT = "已建成"
_CLOSED, _OPENED = -1, 1  # what a view says of a link or call, against 0: as the tables have it
_NAMED = 3  # so many ids are named in the history


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
        if mode not in MODES_KNOWN:
            raise UnknownNameError("mode", mode, MODES_KNOWN)
    if not given:
        raise InputError(f"No mode given; choose from {', '.join(MODES_KNOWN)}.")
    return tuple(mode for mode in MODES_KNOWN if mode in given)


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


@dataclass(frozen=True, eq=False)
class Network:
    """A road and rail network, or a view of one; it never changes.

    Make one with :meth:`backbone`, :meth:`from_osm`, :meth:`from_osmnx`, :meth:`from_tables`,
    :meth:`from_folder`, :meth:`world`, :meth:`merge` or :meth:`read`. A scenario (:meth:`at`,
    :meth:`where`, :meth:`without`, :meth:`with_links`, :meth:`scaled`, :meth:`with_profile`,
    :meth:`with_services`, :meth:`with_slopes`) is a new view that shares the tables.

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
    report
        What was read, kept, dropped and assumed when the network was made; None for tables that
        are refused whole where anything is wrong.
    """

    _tables: Tables = field(repr=False)
    profile: Profile
    facts: Facts = field(default_factory=Facts)
    year: int | None = None
    history: tuple[str, ...] = ()
    report: IngestReport | None = field(default=None, repr=False)
    _link_state: NDArray[np.int8] | None = field(default=None, repr=False)
    _service_state: NDArray[np.int8] | None = field(default=None, repr=False)
    _road_factor: float = field(default=1.0, repr=False)
    _slopes: Slopes | None = field(default=None, repr=False)
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
            ``services.csv``, ``terrain.csv`` and ``network.toml``.
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
        return cls.from_folder(_bundled(), year, profile)

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
        return cls(check_tables(nodes, links, services), _profile(profile), facts or Facts())

    @classmethod
    def from_osm(
        cls,
        path: str | os.PathLike[str],
        *,
        rail: bool = True,
        planned: bool = False,
        ferries: bool = False,
        speeds: Mapping[str, float] | None = None,
        profile: Profile | str | Path | None = None,
        progress: bool = False,
    ) -> Network:
        """Read a network from an OpenStreetMap file.

        Parameters
        ----------
        path
            ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf``, a local file.
        rail
            Also read railways and their stations. OpenStreetMap has no timetable: trains run when
            :meth:`with_services` or :meth:`merge` brings one.
        planned
            Also read what is under construction (在建) or proposed (前期), closed until
            :meth:`with_links` opens it or :meth:`where` asks for it.
        ferries
            Also read car ferries.
        speeds
            Speed of every road by its ``highway`` value, km/h, where no ``maxspeed`` is tagged; the
            profile's speed of its class if None.
        profile
            A profile, or a ``profiles.toml``; the bundled default if None.
        progress
            Show a progress bar.

        Raises
        ------
        InputError
            If the file is missing, truncated, of another kind, or holds no road.

        See Also
        --------
        urbangeo.network.osm.read_osm : what is kept, repaired and dropped; ``.report`` counts it.
        """
        from urbangeo.network.osm import read_osm

        read = read_osm(
            path, rail=rail, planned=planned, ferries=ferries, speeds=speeds, progress=progress
        )
        facts = Facts(
            title=f"OpenStreetMap 路网（{Path(path).name}）",
            attribution=("© OpenStreetMap contributors (ODbL)",),
        )
        net = cls(trusted(read), _profile(profile), facts, report=read.report)
        return net._only_built() if planned else net

    @classmethod
    def from_osmnx(
        cls, graph: nx.MultiDiGraph, *, profile: Profile | str | Path | None = None
    ) -> Network:
        """Take over a street graph of OSMnx, or one that :meth:`to_networkx` made.

        Parameters
        ----------
        graph
            Unprojected (EPSG:4326); what nodes and edges carry beyond a network's columns is kept
            as further columns.
        profile
            A profile, or a ``profiles.toml``; the bundled default if None.

        Raises
        ------
        CRSError
            If the graph has no CRS, or a projected one.
        """
        from urbangeo.network.osmnxio import from_osmnx

        read = from_osmnx(graph)
        facts = Facts.of_graph(graph.graph)
        return cls(trusted(read), _profile(profile), facts, report=read.report)

    @classmethod
    def world(
        cls,
        extent: str | Sequence[float],
        *,
        modes: Iterable[str] = MODES,
        profile: Profile | str | Path | None = None,
    ) -> Network:
        """Give a coarse network of anywhere on Earth, from the package ``scgraph_data``.

        Parameters
        ----------
        extent
            Name of an extent, or ``(west, south, east, north)`` in degrees.
        modes
            ``("road", "rail")``, or one of them.
        profile
            A profile, or a ``profiles.toml``; the bundled default if None.

        Raises
        ------
        NetworkError
            If the package is missing or has nothing there.

        Notes
        -----
        Main roads and railways of OpenStreetMap without class, name or number; between cities
        many are straight chords and 6 to 11 % short. It is schematic.
        """
        from urbangeo.network.world import read_world

        read = read_world(_bounds(extent), modes=check_modes(modes))
        facts = Facts(
            title="世界骨架路网",
            schematic=True,
            attribution=("© OpenStreetMap contributors (ODbL)，经 scgraph_data，示意",),
        )
        return cls(trusted(read), _profile(profile), facts, report=read.report)

    @classmethod
    def merge(cls, roads: Network, rail: Network) -> Network:
        """Put the railway of one network onto the roads of another.

        Parameters
        ----------
        roads
            Gives the roads that its view holds, the profile and the title.
        rail
            Gives the railways, stations and services that its view holds. Each station is joined
            to the nearest road that may be entered; where none lies within the profile's
            ``access.max_km`` it is left unjoined, and counted in ``.report``.
        """
        from urbangeo.network.edit import merged

        return merged(check_network(roads), check_network(rail))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Network:
        """Read what :meth:`write` wrote as ``.parquet``: quickly, drawn lines only when needed.

        Raises
        ------
        InputError
            If the file is missing, or not such a file.
        """
        from urbangeo.network.store import read_parquet

        return read_parquet(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str], profile: str | None = None) -> Network:
        """Open whatever a path holds: a folder of tables, ``.parquet``, or OpenStreetMap.

        Parameters
        ----------
        path
            A folder for :meth:`from_folder`, a file for :meth:`read` or :meth:`from_osm`.
        profile
            Speed profile: a name in the folder's ``profiles.toml``, or in the bundled one.

        Raises
        ------
        InputError
            If it is none of these.
        """
        text = os.fspath(path)
        if Path(path).is_dir():
            return cls.from_folder(text, profile=profile)
        if text.endswith(".parquet"):
            net = cls.read(path)
        elif text.endswith(_OSM_SUFFIXES):
            net = cls.from_osm(path)
        else:
            raise InputError(
                f"{text} is no network that can be opened: a folder of tables (nodes.csv, "
                f"links.csv, profiles.toml), .parquet or {', '.join(_OSM_SUFFIXES)} is expected."
            )
        return net if profile is None else net.with_profile(profile)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the view: ``.parquet`` to read again, ``.gpkg`` for a GIS; whole or not at all.

        A Parquet file holds everything, profile and report too; a GeoPackage the layers ``nodes``,
        ``links`` and ``services``.

        Raises
        ------
        InputError
            If the suffix is another.
        OutputError
            If the file cannot be written.
        """
        from urbangeo.network.store import write

        write(self, path)

    def __repr__(self) -> str:
        """Say in a line what it is: title, size, year, profile, steps."""
        steps = " → ".join(self.history)
        return (
            f"<Network {self.facts.title}: {len(self._tables.nodes):,} nodes, "
            f"{len(self.link_rows):,} links, {self.services['service'].nunique():,} services, "
            f"profile {self.profile.name}{', ' + steps if steps else ''}>"
        )

    # -- tables ------------------------------------------------------------------------------

    @cached_property
    def link_rows(self) -> NDArray[np.int64]:
        """Rows of the links that the view holds, in the whole table."""
        return self._rows(self._tables.links, self._link_state)

    @cached_property
    def service_rows(self) -> NDArray[np.int64]:
        """Rows of the calls that the view holds, in the whole table."""
        return self._rows(self._tables.services, self._service_state)

    def _rows(self, table: pd.DataFrame, state: NDArray[np.int8] | None) -> NDArray[np.int64]:
        """Rows that are not closed and, at the view's year, open or opened by the view."""
        kept = np.ones(len(table), dtype=bool)
        if self.year is not None and len(table):
            kept = _open_by(table, self.year)
        if state is not None:
            kept = (kept | (state == _OPENED)) & (state != _CLOSED)
        rows: NDArray[np.int64] = np.flatnonzero(kept)
        return rows

    @property
    def nodes(self) -> gpd.GeoDataFrame:
        """Nodes, EPSG:4326; all of the tables, whichever links are open."""
        import geopandas as gpd

        nodes = self._tables.nodes.drop(columns=["lon", "lat"])
        return gpd.GeoDataFrame(nodes, geometry=self._tables.points())

    @property
    def links(self) -> gpd.GeoDataFrame:
        """Links of the view, EPSG:4326; ``length_m`` as used (stated, or chord x sinuosity)."""
        import geopandas as gpd

        t, rows = self._tables, self.link_rows
        links = t.links.iloc[rows].reset_index(drop=True)
        links = links.astype(dict.fromkeys(("mode", "class", "status"), "str"))
        ids = t.nodes["id"].to_numpy(dtype=object)
        links.insert(1, "from", ids[t.tail[rows]])
        links.insert(2, "to", ids[t.head[rows]])
        links["length_m"] = self.length_m[rows]
        return gpd.GeoDataFrame(links, geometry=t.lines.geometry[rows], crs="EPSG:4326")

    @property
    def services(self) -> pd.DataFrame:
        """Rail services of the view, one row for each call."""
        return self._tables.services.iloc[self.service_rows].reset_index(drop=True)

    @cached_property
    def length_m(self) -> NDArray[np.float64]:
        """Length of every link of the whole table, metres."""
        stated = self._tables.links["length_m"].to_numpy(dtype=float)
        drawn = np.isnan(stated)
        if not drawn.any():
            return _frozen(stated)
        factor = self._tables.by_class(self.profile.sinuosity)
        self._need(factor, drawn, f"Profile {self.profile.name!r} gives no sinuosity")
        factor = factor * rough(self._tables, self.profile, "sinuosity")
        return _frozen(np.where(drawn, self._tables.chord_m * factor, stated))

    @cached_property
    def speed_kmh(self) -> NDArray[np.float64]:
        """Speed on every link of the whole table, km/h; NaN for rail, which has a timetable.

        Where a link states a speed, the profile's share of it; elsewhere its class's in its
        terrain.
        """
        stated = self._tables.links["speed_kmh"].to_numpy(dtype=float)
        speed = self._tables.by_class(self.profile.road_kmh)
        needed = self._tables.is_road & np.isnan(stated)
        self._need(speed, needed, f"Profile {self.profile.name!r} gives no speed")
        speed = speed * rough(self._tables, self.profile, "speed")
        speed = np.where(np.isnan(stated), speed, stated * self.profile.stated_share)
        return _frozen(np.where(self._tables.is_road, speed * self._road_factor, np.nan))

    def _need(self, values: NDArray[np.float64], rows: NDArray[np.bool_], what: str) -> None:
        lacking = rows & np.isnan(values)
        if lacking.any():
            codes = np.unique(self._tables.codes("class")[lacking])
            raise NetworkError(f"{what} for {', '.join(LINK_CLASSES[one] for one in codes)}.")

    @property
    def is_schematic(self) -> bool:
        """Whether what is drawn from it must be called 示意."""
        return self.facts.schematic

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the nodes, degrees."""
        west, south = self._tables.lonlat.min(axis=0)
        east, north = self._tables.lonlat.max(axis=0)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a travel time, in hexadecimal."""
        sha = hashlib.sha256(self._tables.digest.encode())
        for rows in (self.link_rows, self.service_rows):
            sha.update(np.ascontiguousarray(rows).tobytes())
        sha.update(f"{self.profile.as_text()};{self._road_factor!r}".encode())
        if self._slopes is not None:
            sha.update(self._slopes.digest.encode())
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
        (``planned_year``). What a step before closed or opened stays so.

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
        t = self._tables
        return self._view(
            f"where(status={wanted})",
            links=_marks(~t.links["status"].isin(wanted), _CLOSED),
            services=_marks(~t.services["status"].isin(wanted), _CLOSED),
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
        wanted = _listed(links)
        chosen, calls = self._chosen(wanted, self.link_rows, self.service_rows)
        railway = chosen & ~self._tables.is_road
        if railway.any():
            one = self._tables.links["id"].iloc[int(np.flatnonzero(railway)[0])]
            raise NetworkError(
                f"{one!r} is a piece of railway. Trains run from station to station, so "
                "closing it stops none; give the ids of the services that it would stop."
            )
        return self._view(
            f"without({_told(wanted)})",
            links=_marks(chosen, _CLOSED),
            services=_marks(calls, _CLOSED),
        )

    def with_links(
        self, links: str | Collection[str] | pd.DataFrame, *, join_m: float = 2000.0
    ) -> Network:
        """Open planned links and services by id, or add new links.

        Parameters
        ----------
        links
            Ids of links or services of the tables, planned or closed; or a table of new links: with
            ``from`` and ``to`` they join the nodes named; without, each drawn line (GeoDataFrame)
            joins the network at its ends and at the nodes that its column ``interchanges`` lists
            (ids or names, ``;`` between them). ``class`` is required; ``id``, ``name``, ``ref``,
            ``oneway``, ``length_m``, ``speed_kmh``, ``status``, ``source`` and further columns are
            kept.
        join_m
            How far an end or a listed interchange may lie from what it is joined to, metres.

        Raises
        ------
        UnknownNameError
            If the tables have no link, service or node of that name.
        NetworkError
            If an end finds nothing to join within ``join_m``.
        TableError
            If a table holds anything that cannot be used.
        """
        import pandas as pd

        if isinstance(links, pd.DataFrame):
            from urbangeo.network.edit import added

            return added(self, links, join_m)
        wanted = _listed(links)
        t = self._tables
        every = np.arange(len(t.links)), np.arange(len(t.services))
        chosen, calls = self._chosen(wanted, *every)
        return self._view(
            f"with_links({_told(wanted)})",
            links=_marks(chosen, _OPENED),
            services=_marks(calls, _OPENED),
        )

    def _chosen(
        self, ids: Sequence[str], links: NDArray[np.int64], calls: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Rows of links and of calls that bear the ids, among those given."""
        t = self._tables
        chosen, ran = np.zeros(len(t.links), dtype=bool), np.zeros(len(t.services), dtype=bool)
        chosen[links] = t.links["id"].isin(ids).to_numpy(dtype=bool)[links]
        ran[calls] = t.services["service"].isin(ids).to_numpy(dtype=bool)[calls]
        found = {*t.links["id"][chosen], *t.services["service"][ran]}
        for one in ids:
            if one not in found:
                known = {*t.links["id"].iloc[links], *t.services["service"].iloc[calls]}
                raise UnknownNameError("road link or service", one, sorted(known))
        return chosen, ran

    def with_services(
        self,
        path: str | os.PathLike[str],
        *,
        date: str | None = None,
        start: str = "07:00",
        end: str = "09:00",
        classes: Mapping[int, str] | None = None,
        join_m: float = 500.0,
    ) -> Network:
        """Let trains run by a GTFS feed instead of the service table, in a window of time.

        Parameters
        ----------
        path
            A GTFS feed, zipped or as a folder.
        date
            ``2022-11-15``; an ordinary day of the feed if None, named in ``.report``.
        start, end
            The window, ``HH:MM``; headways and running times are those of its departures.
        classes
            Rail classes of the feed's ``route_type`` numbers, where they should not be the usual
            ones: ``{3: "suburban"}`` lets buses run as well.
        join_m
            A stop takes the place of a station of the network that is nearer than this and bears
            its name; others become stations of their own, joined to the nearest road.

        Raises
        ------
        InputError
            If the feed cannot be read, or nothing runs in the window.
        """
        from urbangeo.network.edit import timetabled
        from urbangeo.network.gtfs import read_gtfs

        feed = read_gtfs(path, date=date, start=start, end=end, classes=classes)
        return timetabled(self, feed, f"with_services({Path(path).name}, {start}-{end})", join_m)

    def scaled(self, factor: float) -> Network:
        """Multiply every road speed by a factor; rail and walking keep theirs.

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

    def with_profile(self, profile: Profile | str) -> Network:
        """Travel by another profile: one of your own, or a name in the bundled ``profiles.toml``.

        Raises
        ------
        UnknownNameError
            If the bundled file has no profile of that name.
        """
        made = (
            profile
            if isinstance(profile, Profile)
            else Profile.read(_bundled() / "profiles.toml", profile)
        )
        return replace(self, profile=made, history=(*self.history, f"with_profile({made.name})"))

    def with_slopes(self, dem: str | os.PathLike[str]) -> Network:
        """Walk by Tobler's hiking function on the slopes of an elevation model.

        Parameters
        ----------
        dem
            A raster that rasterio reads, with a CRS; elevation in metres in its first band.

        Raises
        ------
        InputError
            If the raster has no CRS or does not cover the network.
        """
        from urbangeo.network.slopes import Slopes

        slopes = Slopes.measure(self, dem)
        step = f"with_slopes({Path(dem).name})"
        return replace(self, _slopes=slopes, history=(*self.history, step))

    def _only_built(self) -> Network:
        """Close what is not built, until a later step opens it."""
        t = self._tables
        return replace(
            self,
            _link_state=_marks(t.links["status"] != _BUILT, _CLOSED),
            _service_state=_marks(t.services["status"] != _BUILT, _CLOSED),
        )

    def _view(
        self,
        step: str,
        *,
        links: NDArray[np.int8] | None = None,
        services: NDArray[np.int8] | None = None,
        year: int | None = None,
    ) -> Network:
        """Make a view in which more is closed or opened, or that stands at another year."""

        def later(
            before: NDArray[np.int8] | None, now: NDArray[np.int8] | None
        ) -> NDArray[np.int8] | None:
            if before is None or now is None:
                return before if now is None else now
            return np.where(now != 0, now, before)

        view = replace(
            self,
            _link_state=later(self._link_state, links),
            _service_state=later(self._service_state, services),
            year=self.year if year is None else year,
            history=(*self.history, step),
        )
        if not len(view.link_rows):
            raise NetworkError(f"{step} leaves no link of {self.facts.title}.")
        return view

    # -- the graph ---------------------------------------------------------------------------

    def street_rules(self, modes: tuple[str, ...]) -> dict[str, AccessRule]:
        """Rules for legs off the network, by the modes by which the street is used.

        By rail alone one comes and goes by car.

        Raises
        ------
        NetworkError
            If walking is asked for and the profile has no rule for it.
        """
        rules = {}
        if "road" in modes or "walk" not in modes:
            rules["road"] = self.profile.access
        if "walk" in modes:
            if self.profile.walk is None:
                raise NetworkError(
                    f"Profile {self.profile.name!r} has no rule for walking; add to its "
                    f"profiles.toml [{self.profile.name}.walk] with kmh, circuity and max_km."
                )
            rules["walk"] = self.profile.walk
        return rules

    def leg_ms(self, metres: NDArray[np.float64], mode: str) -> NDArray[np.int64]:
        """Time of legs off the network by a mode, whole milliseconds.

        ``metres`` as the crow flies.
        """
        rule = self.street_rules((mode,))[mode]
        factor = self._road_factor if mode == "road" else 1.0
        ms: NDArray[np.int64] = np.rint(metres * rule.ms_per_m / factor).astype(np.int64)
        return ms

    def link_ms(
        self, rows: NDArray[np.int64], mode: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whole milliseconds along links and back, by car (``road``) or on foot (``walk``)."""
        length = self.length_m[rows]
        if mode == "walk":
            kmh = self.street_rules(("walk",))["walk"].kmh
            there = back = length * 3600.0 / kmh
            if self._slopes is not None:
                there, back = self._slopes.walking_ms(rows, length, kmh)
        else:
            there = back = length * 3600.0 / self.speed_kmh[rows]
        whole = [np.maximum(1, np.rint(one)).astype(np.int64) for one in (there, back)]
        return whole[0], whole[1]

    def graph(self, modes: Iterable[str] = MODES) -> Graph:
        """Compile the view for a set of modes; compiled once.

        Raises
        ------
        NetworkError
            If the view has no link or service of these modes.
        """
        chosen = check_modes(modes)
        return self.derived("graph", chosen, lambda: compile_graph(self, chosen))

    def derived(self, what: str, modes: tuple[str, ...], make: Callable[[], _T]) -> _T:
        """Give what was made of this view before, or make it and keep it with the view."""
        key = (what, modes)
        if key not in self._derived:
            self._derived[key] = make()
        made: _T = self._derived[key]
        return made

    def to_networkx(self) -> nx.MultiDiGraph:
        """Give the road and rail links as a directed multigraph of networkx.

        Nodes are the ids with all columns; each link gives one edge, or two if it is not
        one-way, keyed by its id, with all columns, ``length_m`` and, for roads, ``minutes``.
        :meth:`from_osmnx` takes it back.
        """
        from urbangeo.network.osmnxio import to_networkx

        t, rows = self._tables, self.link_rows
        lines = t.lines.take(rows)
        links = t.links.iloc[rows].assign(length_m=self.length_m[rows])
        minutes = np.where(t.is_road, self.length_m * 0.06 / self.speed_kmh, np.nan)
        return to_networkx(
            t.nodes,
            links.reset_index(drop=True),
            t.tail[rows],
            t.head[rows],
            lines.xy,
            lines.offsets,
            services=self.services,
            minutes=minutes[rows],
            graph=self.facts.as_dict(),
        )


def _bundled() -> Path:
    from urbangeo.catalog import data_folder

    return data_folder() / "network"


def _profile(profile: Profile | str | Path | None) -> Profile:
    """Give a profile as it is, read it, or take the bundled default."""
    if isinstance(profile, Profile):
        return profile
    return Profile.read(_bundled() / "profiles.toml" if profile is None else profile)


def _bounds(extent: str | Sequence[float]) -> tuple[float, float, float, float]:
    """Bounds of an extent, given by name or as they are."""
    if isinstance(extent, str):
        from urbangeo.plans import extent as named

        west, south, east, north = named(extent).outline.bounds
    else:
        try:
            west, south, east, north = (float(one) for one in extent)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"extent is {extent!r}; a name or (west, south, east, north), degrees, is expected."
            ) from error
    return float(west), float(south), float(east), float(north)


def _listed(ids: str | Collection[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else [str(one) for one in ids]


def _told(ids: Sequence[str]) -> str:
    """Name ids in the history: all of a few, the first of many."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{list(ids[:_NAMED])}{more}"


def _marks(rows: Any, mark: int) -> NDArray[np.int8]:
    """A mark on the rows that are true, 0 on the others."""
    return np.where(np.asarray(rows, dtype=bool), mark, 0).astype(np.int8)


def _frozen(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.array(values, dtype=float)
    values.setflags(write=False)
    return values


def _open_by(table: pd.DataFrame, year: int) -> NDArray[np.bool_]:
    """Tell which rows are open at the end of a year."""
    opened = table["open_year"].to_numpy(dtype=float)
    unknown = np.isnan(opened)
    done = np.asarray(table["status"] == _BUILT, dtype=bool)
    planned = table["planned_year"].to_numpy(dtype=float)
    return np.asarray((opened <= year) | (unknown & (done | (planned <= year))), dtype=bool)
