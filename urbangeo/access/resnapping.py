"""How places get onto a network without some of its links: only those that it may change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.access.thinned import Thinned
from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.network import Network
from urbangeo.network.snap import DETOUR_M, TOUCH_M, Snaps, _Index, _legs, _ways_in, _WaysIn, snap

__all__ = ["Resnapping"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]

_ROOM = 3.0  # what lies around a place is kept so many times farther than it is tried


class Resnapping:
    """How places get onto a network when links are closed.

    Parameters
    ----------
    thinned
        The network's graph.
    modes
        Modes that may be used.
    points
        The places, EPSG:4326.
    snaps
        How they get onto the network with every link open.
    """

    def __init__(
        self, thinned: Thinned, modes: tuple[str, ...], points: gpd.GeoSeries, snaps: Snaps
    ) -> None:
        self.thinned, self.modes, self.points, self.snaps = thinned, modes, points, snaps
        self.lonlat = shapely.get_coordinates(np.asarray(points.array))

    @cached_property
    def _near(self) -> _Near:
        return _Near.of(self.thinned.net, self.modes, self.lonlat)

    def touched(self, links: Collection[int]) -> tuple[IntArray, Graph | None]:
        """Places that are snapped otherwise when links are closed, or may be.

        Also the graph without the links, where it had to be made to tell; its components are known.
        """
        near = self._near
        points = set(chain.from_iterable(near.by_link.get(one, ()) for one in links))
        points |= self._by_lost_node(links)
        masked = None
        cut = self.thinned.cut_off(links)
        if cut is None:
            masked = self.thinned.masked(links)
            before, after = self.thinned.graph.component, masked.component
            changed = (before[near.vertices] == 0) != (after[near.vertices] == 0)
        else:
            changed = np.isin(near.vertices, np.fromiter(cut, dtype=np.int64, count=len(cut)))
        points |= set(near.owner[changed].tolist())
        found = np.array(sorted(points), dtype=np.int64)
        if len(found) and masked is None:
            masked = self.thinned.masked(links)
            if not cut:
                masked._cache["component"] = self.thinned.graph.component
        return found, masked

    def snapped(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """How places get onto the network without some links; the others as before."""
        fresh = self._snapped(links, points, graph)
        return _merged(self.snaps, fresh, points)

    @cached_property
    def _links_at(self) -> dict[int, set[int]]:
        """The links of the graph at each node through which a place enters."""
        thinned = self.thinned
        t, graph = thinned.net._tables, thinned.graph
        item = graph.item[thinned.street]
        rows = np.unique(np.concatenate([item, thinned.spare.item]))
        found: dict[int, set[int]] = {one: set() for one in self._near.nodes}
        for ends in (t.tail[rows], t.head[rows]):
            for place in np.flatnonzero(np.isin(ends, list(found))):
                found[int(ends[place])].add(int(rows[place]))
        return found

    @cached_property
    def _with_trains(self) -> set[int]:
        """Nodes from which one gets to a platform."""
        graph = self.thinned.graph
        some = (graph.kind == ArcKind.ENTER) | (graph.kind == ArcKind.EXIT)
        ends = np.concatenate([self.thinned.tails[some], graph.heads[some]])
        return set((ends[ends < graph.n_streets] % graph.n_nodes).tolist())

    def _by_lost_node(self, links: Collection[int]) -> set[int]:
        """Places that enter through a node to which no link leads any more."""
        t, nodes = self.thinned.net._tables, self._near.nodes
        closed = set(links)
        ends = {int(one[link]) for link in links for one in (t.tail, t.head)} & set(nodes)
        lost = (
            nodes[node]
            for node in ends
            if self._links_at[node] <= closed and node not in self._with_trains
        )
        return set(chain.from_iterable(lost))

    def _snapped(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """How some places get onto the network without some links.

        Only what lies around a place is looked at, unless too little of it is left.
        """
        net, t = self.thinned.net, self.thinned.net._tables
        plane, _ = _ways_in(net, self.modes)
        lonlat = self.lonlat[points]
        spots = shapely.points(plane.xy(lonlat))
        main, island = (np.full(len(points), np.nan) for _ in range(2))
        touched = np.zeros(graph.n_vertices, dtype=bool)
        touched[graph.heads] = True
        touched |= np.diff(graph.indptr) > 0
        parts = []
        for one in self._near.around:
            ways_in, shapes = one.ways_in, one.near(points)
            roads = ways_in.roads[shapes[shapes < len(ways_in.roads)]]
            nodes = ways_in.nodes[shapes[shapes >= len(ways_in.roads)] - len(ways_in.roads)]
            stays = np.concatenate(
                [~np.isin(roads, list(links)), touched[ways_in.first + nodes]]
            ).astype(bool)
            n_roads = int(stays[: len(roads)].sum())
            drawn = ways_in.shapes[shapes[stays]]
            both = np.concatenate([roads, nodes])[stays]
            roads, nodes = both[:n_roads], both[n_roads:]
            off = graph.component[ways_in.first : ways_in.first + graph.n_nodes] != 0
            good = ~np.concatenate([off[t.tail[roads]] | off[t.head[roads]], off[nodes]])
            kinds = tuple(
                _Index(some, drawn[some]) for some in (np.flatnonzero(good), np.flatnonzero(~good))
            )
            few = replace(ways_in, roads=roads, nodes=nodes, shapes=drawn, main=good, indices=kinds)
            point, shape, _, near, far = few.candidates(spots, one.limit_m)
            if not (_reach_m(near, one.limit_m) <= one.radius_m[points]).all():
                return self._plainly(links, points, graph)
            main = np.fmin(main, near)
            island = np.fmin(island, np.where(far <= one.limit_m, far, np.nan))
            parts += _legs(net, plane, few, spots, lonlat, point, shape)
        columns = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        return Snaps(**columns, nearest_m=main, island_m=island, park_ms=self.snaps.park_ms)

    def _plainly(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """Snap some places onto the whole network without some links."""
        net = self.thinned.net
        ids = net._tables.links["id"].iloc[sorted(links)]
        view = net.without(list(ids))
        view.derived("graph", self.modes, lambda: graph)
        return snap(view, self.points.iloc[points], self.modes)


@dataclass(frozen=True, eq=False)
class _Around:
    """What lies around the places by one mode, so that few of them are snapped anew.

    Attributes
    ----------
    ways_in
        All the shapes by which the street is entered.
    limit_m
        No leg off the network is longer.
    radius_m
        For each place, how far around it the shapes are kept here.
    owner, shape
        Place and shape of each pair within that radius, by place.
    """

    ways_in: _WaysIn
    limit_m: float
    radius_m: FloatArray
    owner: IntArray
    shape: IntArray

    def near(self, points: IntArray) -> IntArray:
        """Shapes around some places, each once."""
        return np.unique(self.shape[np.isin(self.owner, points)])


@dataclass(frozen=True, eq=False)
class _Near:
    """Which closures change how a place gets onto the network.

    A road counts if it is within reach of the place, that is, if it is tried for it. Whether others
    belong to the main network or to an island makes no difference to the place.

    Attributes
    ----------
    by_link
        Places that may enter on each link, by its row.
    nodes
        Places that may enter through each node, by its row.
    vertices, owner
        Vertices of everything within reach of a place, and the place.
    around
        By mode, for snapping anew.
    """

    by_link: dict[int, list[int]]
    nodes: dict[int, list[int]]
    vertices: IntArray
    owner: IntArray
    around: tuple[_Around, ...]

    @classmethod
    def of(cls, net: Network, modes: tuple[str, ...], lonlat: FloatArray) -> _Near:
        t = net._tables
        plane, layers = _ways_in(net, modes)
        spots = shapely.points(plane.xy(lonlat))
        rules = net.street_rules(modes)
        by_link: dict[int, list[int]] = {}
        nodes: dict[int, list[int]] = {}
        pairs, around = [np.empty((0, 2), dtype=np.int64)], []
        for ways_in in layers:
            limit = rules[ways_in.mode].max_km * 1000.0
            nearest = ways_in.indices[0].nearest_m(spots, limit)
            reach = np.where(nearest <= limit, _reach_m(nearest, limit), limit)
            radius = np.minimum(limit, _ROOM * reach + DETOUR_M)
            owner, shape, apart = [], [], []
            for index in ways_in.indices:
                if not len(index.rows):
                    continue
                point, place = index.tree.query(spots, predicate="dwithin", distance=radius)
                # who has nothing within reach is told how far the nearest is
                lost = np.flatnonzero(~(nearest <= limit))
                (which, first), _ = index.tree.query_nearest(
                    spots[lost], return_distance=True, all_matches=True
                )
                owner += [point, lost[which]]
                shape += [index.rows[place], index.rows[first]]
                far = np.zeros(len(which))  # however far it is, it counts
                apart += [shapely.distance(spots[point], ways_in.shapes[index.rows[place]]), far]
            empty = np.empty(0, dtype=np.int64)
            owners, shapes = np.concatenate([empty, *owner]), np.concatenate([empty, *shape])
            around.append(_Around(ways_in, limit, radius, owners, shapes))
            tried = np.concatenate([np.empty(0), *apart]) <= reach[owners]
            owners, shapes = owners[tried], shapes[tried]
            line = shapes < len(ways_in.roads)
            roads = ways_in.roads[shapes[line]]
            gates = ways_in.nodes[shapes[~line] - len(ways_in.roads)]
            for row, point in zip(roads.tolist(), owners[line].tolist(), strict=True):
                by_link.setdefault(row, []).append(point)
            for row, point in zip(gates.tolist(), owners[~line].tolist(), strict=True):
                nodes.setdefault(row, []).append(point)
            for ends, owned in (
                (t.tail[roads], owners[line]),
                (t.head[roads], owners[line]),
                (gates, owners[~line]),
            ):
                pairs.append(np.column_stack([ends + ways_in.first, owned]))
        vertices, owned = np.unique(np.concatenate(pairs), axis=0).T
        return cls(by_link, nodes, vertices, owned, tuple(around))


def _merged(old: Snaps, new: Snaps, points: IntArray) -> Snaps:
    """Ways of some points anew, of the others as before; ``new`` numbers them 0, 1, 2 …"""
    keep = ~np.isin(old.point, points)
    per_way = (
        *("vertex", "out_ms", "in_ms", "leg_ms", "leg_m", "link", "along"),
        *("there_ms", "back_ms", "at_tail", "foot"),
    )
    columns = {
        name: np.concatenate([getattr(old, name)[keep], getattr(new, name)]) for name in per_way
    }
    whole = {}
    for name in ("nearest_m", "island_m"):
        whole[name] = getattr(old, name).copy()
        whole[name][points] = getattr(new, name)
    point = np.concatenate([old.point[keep], points[new.point]])
    return Snaps(point=point, **columns, **whole, park_ms=old.park_ms)


def _reach_m(nearest_m: FloatArray, limit_m: float) -> FloatArray:
    """How far from a place ways in are tried, by how far its nearest is; infinite if too far."""
    tried = np.minimum(np.minimum(2 * nearest_m, nearest_m + DETOUR_M) + TOUCH_M, limit_m)
    reach: FloatArray = np.where(nearest_m <= limit_m, tried, np.inf)
    return reach
