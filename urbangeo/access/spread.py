"""Times off the network, at any point of the plane, by one mode.

A point is reached as a place there would be (:mod:`urbangeo.network.snap`): by the roads, at
their nearest points, and the nodes that lie at most twice as far as the nearest way in and at most
:data:`urbangeo.network.snap.DETOUR_M` farther, of each kind the eight nearest roads. So the time
of a cell is the time of a place in its middle, and not a likeness of it.

Roads are cut into short pieces, and the pieces sorted into square buckets, so that only those near
a point are looked at. With ``numba`` one compiled loop does it; without, the same steps are taken
by numpy on many points at once, with the same result.

Where barriers are given, a way in counts only if the straight leg to it crosses none; the rule of
the nearest then speaks of those that are left, and each piece of a road counts at its own nearest
point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from urbangeo.access.barred import Barred
from urbangeo.access.fieldkernel import FieldKernel
from urbangeo.access.machine import available, cores
from urbangeo.access.pieces import PIECE_M, Buckets, Pieces, boxes_meet
from urbangeo.network.graph import MS
from urbangeo.network.network import Network
from urbangeo.network.snap import DETOUR_M, MOST_LINKS, TOUCH_M, _ways_in

__all__ = ["Field", "OnLink", "leg_minutes"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LONG_PIECE_M = 1000.0
"""Pieces of roads are no longer than this without barriers, which changes no time, metres."""

ON_ROAD_M = 0.5
"""Closer than any table can tell, metres: a place there lies on the road."""

_AT_ONCE = 20_000  # points that numpy takes together: some 100 MB
_WORTH_A_THREAD = 20_000


@dataclass(frozen=True)
class OnLink:
    """A centre that lies on a link, between its nodes.

    Attributes
    ----------
    link
        Row of the link.
    along
        Place on it, 0 at its tail to 1 at its head.
    leg_ms
        Milliseconds between the centre and the link.
    foot
        Whether it is entered on foot.
    """

    link: int
    along: float
    leg_ms: int
    foot: bool = False


def leg_minutes(net: Network, mode: str) -> float:
    """Minutes that each metre off the network takes by a mode, as the crow flies."""
    return float(net.leg_ms(np.array([1e6]), mode)[0]) / 1e6 / MS


@dataclass(frozen=True, eq=False)
class Field:
    """Times at any point, by one mode.

    Attributes
    ----------
    buckets
        Pieces of all ways in near what is reached, whether reached in time or not.
    ends_ms
        For each way in: time at its tail and at its head, infinite where it is not entered there,
        and time of the whole of it from tail to head and back; shape (n, 4).
    is_road, is_main
        Whether it is a road (or a node), and of the main network (or cut off from it).
    centres
        Centres that lie on roads: place along, and time between centre and road; shape (m, 2).
    centre_rows
        Those of way ``i`` are ``centre_rows[i]`` to ``centre_rows[i + 1]``.
    one_way
        Whether a way leads from its tail to its head only, for who travels from the centre.
    leg_ms
        Milliseconds of each metre.
    park_ms
        Milliseconds at the end of every way.
    limit_m
        Longest leg.
    last_ms
        Times later than this do not matter.
    reverse
        Whether the times are towards the centres.
    barred
        What legs must not cross, or None.
    box
        West, south, east, north of what is reached.
    """

    buckets: Buckets
    ends_ms: FloatArray
    is_road: NDArray[np.bool_]
    is_main: NDArray[np.bool_]
    centres: FloatArray
    centre_rows: IntArray
    one_way: NDArray[np.bool_]
    leg_ms: float
    park_ms: float
    limit_m: float
    last_ms: float
    reverse: bool
    barred: Barred | None
    box: tuple[float, float, float, float]
    _gap_main: NDArray[np.int32]
    _gap_reached: NDArray[np.int32]
    _farthest: float

    @classmethod
    def of(
        cls,
        net: Network,
        modes: tuple[str, ...],
        mode: str,
        vertex_ms: FloatArray,
        on_links: Sequence[OnLink],
        *,
        last_min: float,
        reverse: bool,
        barred: Barred | None = None,
        around: FloatArray | None = None,
    ) -> Field:
        """Make ready what is reached by a mode of the street.

        Parameters
        ----------
        net, modes, mode
            The network, the modes of the question, and the one of the street's modes.
        vertex_ms
            Milliseconds at each vertex of ``net.graph(modes)``, infinite where not reached.
        on_links
            Centres that lie on links between nodes.
        last_min
            Minutes; later times do not matter.
        reverse
            Whether the times are towards the centres.
        barred
            What legs must not cross.
        around
            Further points, metres, shape (n, 2), near which ways in matter too.
        """
        _, layers = _ways_in(net, modes)
        ways = next(one for one in layers if one.mode == mode)
        t, graph, n_roads = net._tables, net.graph(modes), len(ways.roads)
        first = graph.layers.index(mode) * graph.n_nodes
        node_ms = vertex_ms[first : first + graph.n_nodes]
        per_m = leg_minutes(net, mode) * MS
        limit = net.street_rules(modes)[mode].max_km * 1000.0
        by_car = mode == "road"
        park = net.profile.car.park_min * MS if by_car else 0.0
        last = last_min * MS

        ends = np.zeros((len(ways.shapes), 4))
        one_way = np.zeros(len(ways.shapes), dtype=bool)
        ends[:n_roads, 0], ends[:n_roads, 1] = (
            node_ms[t.tail[ways.roads]],
            node_ms[t.head[ways.roads]],
        )
        there, back = net.link_ms(ways.roads, mode) if n_roads else (0, 0)
        # Towards the centre one leaves by the tail, against the line's direction.
        ends[:n_roads, 2], ends[:n_roads, 3] = (back, there) if reverse else (there, back)
        one_way[:n_roads] = t.oneway[ways.roads] & by_car
        # Towards the centre nobody leaves a one-way road by its tail; from it, by its head.
        ends[one_way, 0 if reverse else 1] = np.inf
        ends[n_roads:, 0], ends[n_roads:, 1] = node_ms[ways.nodes], np.inf
        # Towards the centre, parking there is in the times at vertices; from it, one parks here.
        ends[:, :2] += 0.0 if reverse else park

        way_of = np.full(len(t.links), -1, dtype=np.int64)
        way_of[ways.roads] = np.arange(n_roads)
        here = [one for one in on_links if one.foot != by_car and way_of[one.link] >= 0]
        here.sort(key=lambda one: int(way_of[one.link]))
        begun = way_of[[one.link for one in here]] if here else np.empty(0, dtype=np.int64)
        earliest = np.minimum(ends[:, 0], ends[:, 1])
        earliest[begun] = np.minimum(earliest[begun], [one.leg_ms + park for one in here])

        # Ways in that no reached cell can be near to are left aside.
        bounds = shapely.bounds(ways.shapes).reshape(-1, 4)
        reached = earliest <= last
        reach = np.minimum(limit, (last - earliest[reached]) / per_m)
        corners = [bounds[reached, :2] - reach[:, None], bounds[reached, 2:] + reach[:, None]]
        if around is not None:
            corners = [np.concatenate([corners[0], around - limit]),
                       np.concatenate([corners[1], around + limit])]  # fmt: skip
        near = np.zeros(len(bounds), dtype=bool)
        if len(corners[0]):
            low, high = corners[0].min(axis=0), corners[1].max(axis=0)
            near = boxes_meet(bounds, low, high)
        rows = np.flatnonzero(near)
        new = np.cumsum(near) - 1
        counts = np.bincount(new[begun], minlength=len(rows)) if here else np.zeros(len(rows), int)
        longest = LONG_PIECE_M if barred is None else PIECE_M
        buckets = Buckets.of(Pieces.of(ways.shapes[rows], longest))
        field = cls(
            buckets=buckets,
            ends_ms=ends[rows],
            is_road=rows < n_roads,
            is_main=ways.main[rows],
            centres=np.array([(one.along, one.leg_ms + park) for one in here]).reshape(-1, 2),
            centre_rows=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            one_way=one_way[rows],
            leg_ms=per_m,
            park_ms=park,
            limit_m=limit,
            last_ms=last,
            reverse=reverse,
            barred=None,
            box=(np.inf, np.inf, -np.inf, -np.inf),
            _gap_main=buckets.gaps(ways.main[rows][buckets.pieces.owner]),
            _gap_reached=np.empty(0, dtype=np.int32),
            _farthest=0.0,
        )
        return field._measured(barred, around)

    def _measured(self, barred: Barred | None, around: FloatArray | None) -> Field:
        """Say what is reached, and from which pieces."""
        pieces = self.buckets.pieces
        ms = np.minimum(*(self.way_ms(pieces.owner, pieces.share[:, one]) for one in (0, 1)))
        # A centre in the middle of a piece: at most the time of the piece earlier than its ends.
        begun = np.diff(self.centre_rows) > 0
        some = np.flatnonzero(begun[pieces.owner])
        for row in some:
            way = pieces.owner[row]
            low, high = pieces.share[row]
            own = self.centres[self.centre_rows[way] : self.centre_rows[way + 1]]
            inner = own[(own[:, 0] >= low) & (own[:, 0] <= high), 1]
            ms[row] = min(ms[row], inner.min(initial=np.inf))
        reached = ms <= self.last_ms
        reach = np.minimum(self.limit_m, (self.last_ms - ms[reached]) / self.leg_ms)
        box = (np.inf, np.inf, -np.inf, -np.inf)
        if reached.any():
            ends, wide = pieces.ends[reached], reach[:, None]
            low = (np.minimum(ends[:, :2], ends[:, 2:]) - wide).min(axis=0)
            high = (np.maximum(ends[:, :2], ends[:, 2:]) + wide).max(axis=0)
            box = (*low.tolist(), *high.tolist())
        walls = None
        if barred is not None:
            spots = np.empty((0, 2)) if around is None else around
            low = np.min([box[:2], *(spots - self.limit_m)], axis=0)
            high = np.max([box[2:], *(spots + self.limit_m)], axis=0)
            walls = barred.within((*low, *high))
        return replace(
            self,
            barred=walls,
            box=box,
            _gap_reached=self.buckets.gaps(reached),
            _farthest=float(reach.max(initial=0.0)),
        )

    def way_ms(self, way: IntArray, share: FloatArray) -> FloatArray:
        """Milliseconds at points along ways: by the tail, by the head, or along from a centre."""
        tail, head, there, back = self.ends_ms[way].T
        ms: FloatArray = np.minimum(tail + share * there, head + (1 - share) * back)
        begun = np.diff(self.centre_rows) > 0
        for one in np.flatnonzero(begun[way]):
            ms[one] = min(ms[one], self._from_centres(int(way[one]), float(share[one])))
        return ms

    def _from_centres(self, way: int, share: float) -> float:
        own = self.centres[self.centre_rows[way] : self.centre_rows[way + 1]]
        ahead = own[:, 0] - share if self.reverse else share - own[:, 0]
        # `ahead` is in the line's own direction, whichever way the search ran.
        along, against = self.ends_ms[way, [3, 2] if self.reverse else [2, 3]]
        ride = np.where(ahead >= 0, ahead * along, -ahead * against)
        ride[(ahead < 0) & self.one_way[way]] = np.inf
        return float((own[:, 1] + ride).min())

    def at(
        self, xy: FloatArray, *, on_road_m: float = ON_ROAD_M, numba: bool | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Give the times at points.

        Parameters
        ----------
        xy
            Metres in the plane of the network's region, shape (n, 2).
        on_road_m
            Points no farther from a way in than this lie on it: they need no leg.
        numba
            Whether to use the compiled loop; if it is there, if None.

        Returns
        -------
        minutes, nearest_m
            Minutes, infinite where not reached, and metres to the nearest way in of any kind,
            infinite where none is within reach of a leg.
        """
        minutes, nearest = np.full(len(xy), np.inf), np.full(len(xy), np.inf)
        if not len(self.ends_ms) or not len(xy):
            return minutes, nearest
        todo = np.arange(len(xy))
        if self.barred is not None:
            todo = np.flatnonzero(~self.barred.covers(xy))
        if "numba" in available() if numba is None else numba:
            ms, near = self._compiled(xy[todo], on_road_m)
        else:
            parts = [
                self._plain(xy[some], on_road_m)
                for some in np.split(todo, range(_AT_ONCE, len(todo), _AT_ONCE))
            ]
            ms, near = (np.concatenate(one) for one in zip(*parts, strict=True))
        minutes[todo], nearest[todo] = ms / MS, near
        return minutes, nearest

    @property
    def across_m(self) -> float:
        """How far a leg straight from a centre may lead, metres."""
        return min(self.limit_m, self.last_ms / self.leg_ms)

    def within_reach(self, xy: FloatArray) -> NDArray[np.bool_]:
        """Sieve points: false only where nothing can be reached in time."""
        if not len(self.ends_ms):
            return np.zeros(len(xy), dtype=bool)
        square, outside = self.buckets.square(xy)
        apart = (self._gap_reached[square] - 1) * self.buckets.width
        kept: NDArray[np.bool_] = np.maximum(apart, outside) <= self._farthest + self.buckets.half
        return kept

    # -- by numpy ----------------------------------------------------------------------------

    @cached_property
    def _middles(self) -> cKDTree | None:
        """Middles of the pieces of the main network."""
        pieces = self.buckets.pieces
        ends = pieces.ends[self.is_main[pieces.owner]]
        return cKDTree((ends[:, :2] + ends[:, 2:]) / 2) if len(ends) else None

    def _clear_m(self, xy: FloatArray) -> FloatArray:
        """Metres around points within which no leg can cross a barrier."""
        return (
            np.full(len(xy), np.inf)
            if self.barred is None
            else self.barred.clear_m(xy, self.limit_m)
        )

    def _reach(self, nearest: FloatArray) -> FloatArray:
        """How far ways in are tried, by the nearest, metres."""
        reach: FloatArray = np.minimum(2 * nearest, nearest + DETOUR_M) + TOUCH_M
        return reach

    def _plain(self, xy: FloatArray, on_road_m: float) -> tuple[FloatArray, FloatArray]:
        """Times (milliseconds) and nearest ways in, of not too many points."""
        count = len(xy)
        ms, nearest = np.full(count, np.inf), np.full(count, np.inf)
        radius = np.full(count, self.limit_m)
        if self._middles is not None:  # the nearest way in is no farther than the nearest middle
            bound = self._middles.query(xy, distance_upper_bound=self.limit_m)[0]
            radius = np.minimum(self._reach(bound), self.limit_m)
        clear = self._clear_m(xy)
        todo = np.arange(count)
        while len(todo):
            point, piece, along, apart = self._met(xy[todo], radius[todo], clear[todo])
            is_main = self.is_main[self.buckets.pieces.owner[piece]]
            main, any_kind = np.full(len(todo), np.inf), np.full(len(todo), np.inf)
            np.minimum.at(any_kind, point, apart)
            np.minimum.at(main, point[is_main], apart[is_main])
            reach = np.minimum(self._reach(main), self.limit_m)
            found = np.isfinite(main) | (radius[todo] >= self.limit_m)
            done = found & (reach <= radius[todo])
            island = np.minimum(self._reach(any_kind), reach)
            taken = (apart <= np.where(is_main, reach[point], island[point])) & done[point]
            point, way, share, apart = self._ways(
                *(one[taken] for one in (point, piece, along, apart))
            )
            leg = np.where(apart < on_road_m, 0.0, apart) * self.leg_ms
            np.minimum.at(ms, todo[point], self.way_ms(way, share) + leg)
            nearest[todo[done]] = any_kind[done]
            radius[todo] = np.where(found, reach, np.minimum(2 * radius[todo], self.limit_m))
            todo = todo[~done]
        ms[ms > self.last_ms] = np.inf
        return ms, nearest

    def _met(
        self, xy: FloatArray, radius: FloatArray, clear: FloatArray
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Pieces within a radius: point, piece, share of the piece passed, metres."""
        ends = self.buckets.pieces.ends
        point, piece = self.buckets.near(xy, radius)
        px, py = xy[point].T
        x0, y0, x1, y1 = ends[piece].T
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy
        along = ((px - x0) * dx + (py - y0) * dy) / np.where(square > 0, square, 1.0)
        along = np.minimum(np.maximum(along, 0.0), 1.0)
        fx, fy = x0 + along * dx, y0 + along * dy
        apart = np.sqrt((px - fx) * (px - fx) + (py - fy) * (py - fy))
        kept = apart <= radius[point]
        if self.barred is not None:
            rows = np.flatnonzero(kept & (apart > clear[point]))
            legs = xy[point[rows]], np.column_stack([fx[rows], fy[rows]])
            kept[rows[self.barred.crossed(*legs)]] = False
        return point[kept], piece[kept], along[kept], apart[kept]

    def _ways(
        self, point: IntArray, piece: IntArray, along: FloatArray, apart: FloatArray
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Ways in at their nearest points, few of each kind: point, way, share of it, metres."""
        pieces = self.buckets.pieces
        way = pieces.owner[piece]
        order = np.lexsort((piece, apart, way, point))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(point[order]) != 0) | (np.diff(way[order]) != 0)
        order = order[first]
        order = order[self._nearest_few(point[order], way[order], apart[order])]
        low, high = pieces.share[piece[order]].T
        return point[order], way[order], low + along[order] * (high - low), apart[order]

    def _nearest_few(self, point: IntArray, way: IntArray, apart: FloatArray) -> IntArray:
        """Rows that stay when of the roads of each kind the nearest few are tried."""
        kind = np.where(self.is_road[way], self.is_main[way].astype(np.int64), 2)
        order = np.lexsort((way, apart, kind, point))
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(point[order]) != 0) | (np.diff(kind[order]) != 0)
        starts = np.flatnonzero(fresh)
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        kept: IntArray = order[(rank < MOST_LINKS) | (kind[order] == 2)]
        return kept

    # -- by numba ----------------------------------------------------------------------------

    def _compiled(self, xy: FloatArray, on_road_m: float) -> tuple[FloatArray, FloatArray]:
        square, outside = self.buckets.square(xy)
        upper = outside + (self._gap_main[square] + 1) * self.buckets.width * math.sqrt(2)
        pieces = self.buckets.pieces
        if self.barred is None:
            walls = Buckets.of(Pieces.of(np.empty(0, dtype=object)))
        else:
            walls = self.barred.buckets
        ms, nearest = np.empty(len(xy)), np.empty(len(xy))
        kernel, xy = FieldKernel.get(), np.ascontiguousarray(xy)
        upper, clear = np.minimum(upper, self.limit_m), self._clear_m(xy)
        given = (
            np.array([self.limit_m, self.leg_ms, self.last_ms, float(self.reverse), on_road_m]),
            self.buckets.frame,
            self.buckets.starts,
            pieces.ends,
            pieces.owner,
            pieces.share,
            np.ascontiguousarray(self.ends_ms),
            self.is_road,
            self.is_main,
            self.one_way,
            self.centres,
            self.centre_rows,
            walls.frame,
            walls.starts,
            walls.pieces.ends,
        )

        def work(some: slice) -> None:
            kernel(xy[some], upper[some], clear[some], *given, ms[some], nearest[some])

        # Each thread needs room for all ways in, so few points are not worth one.
        step = max(_WORTH_A_THREAD, -(-len(xy) // cores()))
        parts = [slice(start, start + step) for start in range(0, len(xy), step)]
        if len(parts) < 2:
            work(slice(None))
        else:
            with ThreadPoolExecutor(len(parts)) as pool:
                list(pool.map(work, parts))
        return ms, nearest
