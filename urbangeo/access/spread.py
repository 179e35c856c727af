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
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from urbangeo.access.machine import cores
from urbangeo.network.graph import MS
from urbangeo.network.network import Network
from urbangeo.network.snap import DETOUR_M, MOST_LINKS, TOUCH_M, _ways_in

__all__ = ["Barred", "Field", "OnLink", "leg_minutes", "use_numba"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PIECE_M = 500.0
"""Pieces of roads and barriers are no longer than this where there are barriers, metres."""

LONG_PIECE_M = 1000.0
"""Pieces of roads are no longer than this where there are none, which changes no time, metres."""

ON_ROAD_M = 0.5
"""Closer than any table can tell, metres: a place there lies on the road."""

_AT_ONCE = 20_000  # points that numpy takes together: some 100 MB
_WORTH_A_THREAD = 20_000
_NARROWEST_M = 50.0  # of a bucket


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
class _Pieces:
    """Straight pieces of lines, and points as pieces of no length.

    Attributes
    ----------
    ends
        x and y of the beginning, x and y of the end; shape (n, 4).
    owner
        Row of the line of each.
    share
        Share of the line's length at beginning and end; shape (n, 2).
    """

    ends: FloatArray
    owner: IntArray
    share: FloatArray

    @classmethod
    def of(cls, shapes: NDArray[np.object_], longest_m: float = PIECE_M) -> _Pieces:
        """Cut LineStrings, and take Points as they are."""
        xy, line = shapely.get_coordinates(shapes, return_index=True)
        is_point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
        follows = np.flatnonzero(line[1:] == line[:-1])
        owner = line[follows]
        begin, step = xy[follows], xy[follows + 1] - xy[follows]
        length = np.hypot(step[:, 0], step[:, 1])
        passed = np.cumsum(length) - length
        first = np.r_[True, owner[1:] != owner[:-1]] if len(owner) else np.empty(0, dtype=bool)
        passed -= np.repeat(passed[first], np.diff(np.r_[np.flatnonzero(first), len(owner)]))
        whole = np.bincount(owner, weights=length, minlength=len(shapes))
        whole = np.where(whole > 0, whole, 1.0)[owner]
        parts = np.maximum(1, np.ceil(length / longest_m)).astype(np.int64)
        which = np.repeat(np.arange(len(owner)), parts)
        part = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
        low, high = part / parts[which], (part + 1) / parts[which]
        ends = np.column_stack(
            [
                begin[which] + low[:, None] * step[which],
                begin[which] + high[:, None] * step[which],
            ]
        )
        share = np.column_stack(
            [(passed[which] + one * length[which]) / whole[which] for one in (low, high)]
        )
        spots = np.flatnonzero(is_point[line])
        return cls(
            np.concatenate([ends, np.column_stack([xy[spots], xy[spots]])]),
            np.concatenate([owner[which], line[spots]]),
            np.concatenate([share, np.zeros((len(spots), 2))]),
        )

    def take(self, rows: NDArray[Any]) -> _Pieces:
        """Give some of them."""
        return _Pieces(self.ends[rows], self.owner[rows], self.share[rows])


@dataclass(frozen=True, eq=False)
class _Buckets:
    """Pieces by the square in which their middles lie.

    Attributes
    ----------
    pieces
        The pieces, by rows of squares from south to north, each from west to east.
    west, south, width
        Corner and width of the squares, metres.
    rows, columns
        How many there are.
    starts
        The pieces of square ``i`` are ``starts[i]`` to ``starts[i + 1]``.
    half
        No end lies farther than this from the middle of its piece, metres.
    """

    pieces: _Pieces
    west: float
    south: float
    width: float
    rows: int
    columns: int
    starts: IntArray
    half: float

    @classmethod
    def of(cls, pieces: _Pieces) -> _Buckets:
        """Sort pieces into squares that hold about two each, where they are spread evenly."""
        middle = (pieces.ends[:, :2] + pieces.ends[:, 2:]) / 2
        if not len(middle):
            return cls(pieces, 0.0, 0.0, 1.0, 1, 1, np.zeros(2, dtype=np.int64), 0.0)
        low, span = middle.min(axis=0), np.ptp(middle, axis=0)
        width = max(_NARROWEST_M, math.sqrt(2 * float(np.prod(span + PIECE_M)) / len(middle)))
        columns, rows = (int(one) + 1 for one in span // width)
        column, row = ((middle - low) // width).astype(np.int64).T
        square = row * columns + column
        order = np.argsort(square, kind="stable")
        starts = np.zeros(rows * columns + 1, dtype=np.int64)
        np.cumsum(np.bincount(square, minlength=rows * columns), out=starts[1:])
        reach = np.hypot(*(pieces.ends[:, 2:] - pieces.ends[:, :2]).T).max() / 2
        west, south = low
        return cls(
            pieces.take(order),
            float(west),
            float(south),
            width,
            rows,
            columns,
            starts,
            float(reach) + 1e-6,
        )

    @property
    def frame(self) -> FloatArray:
        """Corner, width, columns, rows and half, for the compiled loop."""
        return np.array([self.west, self.south, self.width, self.columns, self.rows, self.half])

    def gaps(self, chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How many squares each square is from the nearest that holds a chosen piece.

        Diagonal steps count as one; a million where no piece is chosen.
        """
        from scipy.ndimage import distance_transform_cdt

        if not chosen.any():
            return np.full(self.rows * self.columns, 1_000_000, dtype=np.int32)
        held = np.zeros(self.rows * self.columns, dtype=bool)
        square = np.repeat(np.arange(self.rows * self.columns), np.diff(self.starts))
        held[square[chosen]] = True
        steps = distance_transform_cdt(~held.reshape(self.rows, self.columns), metric="chessboard")
        return np.asarray(steps, dtype=np.int32).ravel()

    def square(self, xy: FloatArray) -> tuple[IntArray, FloatArray]:
        """Give the nearest square of each point, and how far it lies from all squares, metres."""
        size = np.array([self.columns, self.rows])
        low = np.array([self.west, self.south])
        inside = np.clip(xy, low, low + size * self.width)
        column, row = np.clip((inside - low) // self.width, 0, size - 1).astype(np.int64).T
        return row * self.columns + column, np.hypot(*(xy - inside).T)

    def near(self, xy: FloatArray, radius: FloatArray) -> tuple[IntArray, IntArray]:
        """Pairs of points and pieces: all within the radius, and others.

        Points ascend.
        """
        size = np.array([self.columns, self.rows])
        low = np.array([self.west, self.south])
        wide = (radius + self.half)[:, None]
        first = np.floor((xy - wide - low) / self.width).astype(np.int64)
        last = np.floor((xy + wide - low) / self.width).astype(np.int64)
        misses = ((last < 0) | (first >= size)).any(axis=1)
        first, last = np.maximum(first, 0), np.minimum(last, size - 1)
        heights = np.where(misses, 0, last[:, 1] - first[:, 1] + 1)
        point, step = _runs(heights)
        row = (first[point, 1] + step) * self.columns
        start = self.starts[row + first[point, 0]]
        counts = self.starts[row + last[point, 0] + 1] - start
        run, step = _runs(counts)
        return point[run], start[run] + step


def _runs(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Number of the run, and place in it, of all members of runs of some lengths."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _meet(bounds: FloatArray, low: Sequence[float], high: Sequence[float]) -> NDArray[np.bool_]:
    """Whether bounds meet a box."""
    west, south, east, north = bounds.T
    met: NDArray[np.bool_] = (west <= high[0]) & (south <= high[1]) & (east >= low[0])
    met &= north >= low[1]
    return met


class Barred:
    """What legs off the network must not cross.

    Parameters
    ----------
    shapes
        LineStrings, and Polygons, into which no leg leads; metres.
    """

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        whole = shapely.get_parts(shapely.get_parts(shapes))  # collections hold multi-parts
        area = shapely.get_dimensions(whole) == 2
        self._areas = whole[area]
        self._tree = shapely.STRtree(self._areas)
        lines = shapely.get_parts(
            np.concatenate([whole[~area], shapely.boundary(self._areas)]).astype(object)
        )
        self._lines, self._count = lines, len(shapes)
        self._bounds = shapely.bounds(lines).reshape(-1, 4)
        self.buckets = _Buckets.of(_Pieces.of(np.empty(0, dtype=object)))

    def __len__(self) -> int:
        return self._count

    def within(self, box: Sequence[float]) -> Barred:
        """Give the barriers whose bounds meet a box; ready to be asked."""
        west, south, east, north = box
        near = _meet(self._bounds, (west, south), (east, north))
        some = Barred.__new__(Barred)
        some._areas, some._tree, some._lines = self._areas, self._tree, self._lines[near]
        some._bounds, some._count = self._bounds[near], self._count
        some.buckets = _Buckets.of(_Pieces.of(some._lines))
        return some

    def covers(self, xy: FloatArray) -> NDArray[np.bool_]:
        """Whether points lie within an area."""
        inside = np.zeros(len(xy), dtype=bool)
        if len(self._areas) and len(xy):
            low, high = xy.min(axis=0), xy.max(axis=0)
            for row in self._tree.query(shapely.box(*low, *high)):
                area = self._areas[row]
                west, south, east, north = area.bounds
                some = np.flatnonzero(
                    (xy[:, 0] >= west)
                    & (xy[:, 0] <= east)
                    & (xy[:, 1] >= south)
                    & (xy[:, 1] <= north)
                    & ~inside
                )
                shapely.prepare(area)
                inside[some] = shapely.contains_xy(area, xy[some, 0], xy[some, 1])
        return inside

    def clear_m(self, xy: FloatArray, limit_m: float) -> FloatArray:
        """Metres around points that are free of barriers, or less; infinite above a limit."""
        ends = self.buckets.pieces.ends
        if not len(ends):
            return np.full(len(xy), np.inf)
        middles = cKDTree((ends[:, :2] + ends[:, 2:]) / 2)
        bound = limit_m + self.buckets.half
        clear: FloatArray = middles.query(xy, distance_upper_bound=bound)[0] - self.buckets.half
        return clear

    def crossed(self, begin: FloatArray, end: FloatArray) -> NDArray[np.bool_]:
        """Whether straight legs cross a barrier; to end on one is not to cross it."""
        hit = np.zeros(len(begin), dtype=bool)
        if not len(self.buckets.pieces.owner):
            return hit
        middle = (begin + end) / 2
        leg, piece = self.buckets.near(middle, np.abs(end - begin).max(axis=1) / 2)
        (px, py), (fx, fy) = begin[leg].T, end[leg].T
        ax, ay, bx, by = self.buckets.pieces.ends[piece].T
        side_a = (fx - px) * (ay - py) - (fy - py) * (ax - px)
        side_b = (fx - px) * (by - py) - (fy - py) * (bx - px)
        side_p = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        side_f = (bx - ax) * (fy - ay) - (by - ay) * (fx - ax)
        slack = TOUCH_M * np.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        beyond = ((side_p > 0) & (side_f < -slack)) | ((side_p < 0) & (side_f > slack))
        hit[leg[((side_a >= 0) != (side_b >= 0)) & beyond]] = True
        return hit


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

    buckets: _Buckets
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
            near = _meet(bounds, low, high)
        rows = np.flatnonzero(near)
        new = np.cumsum(near) - 1
        counts = np.bincount(new[begun], minlength=len(rows)) if here else np.zeros(len(rows), int)
        longest = LONG_PIECE_M if barred is None else PIECE_M
        buckets = _Buckets.of(_Pieces.of(ways.shapes[rows], longest))
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
        if use_numba() if numba is None else numba:
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
            walls = _Buckets.of(_Pieces.of(np.empty(0, dtype=object)))
        else:
            walls = self.barred.buckets
        ms, nearest = np.empty(len(xy)), np.empty(len(xy))
        kernel, xy = _Kernel.get(), np.ascontiguousarray(xy)
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


def _spread(
    xy: FloatArray,
    upper: FloatArray,
    clear: FloatArray,
    rules: FloatArray,
    frame: FloatArray,
    starts: IntArray,
    ends: FloatArray,
    owner: IntArray,
    shares: FloatArray,
    ends_ms: FloatArray,
    is_road: NDArray[np.bool_],
    is_main: NDArray[np.bool_],
    one_way: NDArray[np.bool_],
    centres: FloatArray,
    centre_rows: IntArray,
    wall_frame: FloatArray,
    wall_starts: IntArray,
    walls: FloatArray,
    out_ms: FloatArray,
    out_nearest: FloatArray,
) -> None:
    """Do what ``Field._plain`` does, point by point; written for numba."""
    limit, leg_ms, last, reverse, on_road_m = rules[0], rules[1], rules[2], rules[3] > 0, rules[4]
    west, south, width, half = frame[0], frame[1], frame[2], frame[5]
    columns, rows = int(frame[3]), int(frame[4])
    wall_columns, wall_rows = int(wall_frame[3]), int(wall_frame[4])
    best = np.full(len(ends_ms), np.inf)  # metres to each way in, of those met
    place = np.empty(len(ends_ms))  # and the share of its length there
    met = np.empty(len(ends_ms), dtype=np.int64)
    few = np.empty((2, MOST_LINKS))
    few_way = np.empty((2, MOST_LINKS), dtype=np.int64)
    for one in range(len(xy)):
        px, py = xy[one, 0], xy[one, 1]
        radius, count = upper[one], 0
        nearest, main, reach = np.inf, np.inf, limit
        while True:
            for k in range(count):
                best[met[k]] = np.inf
            count = 0
            nearest, main = np.inf, np.inf
            wide = radius + half
            c0 = max(0, math.floor((px - wide - west) / width))
            c1 = min(columns - 1, math.floor((px + wide - west) / width))
            r0 = max(0, math.floor((py - wide - south) / width))
            r1 = min(rows - 1, math.floor((py + wide - south) / width))
            if c0 > c1:
                r1 = r0 - 1
            for row in range(r0, r1 + 1):
                for piece in range(starts[row * columns + c0], starts[row * columns + c1 + 1]):
                    x0, y0 = ends[piece, 0], ends[piece, 1]
                    dx, dy = ends[piece, 2] - x0, ends[piece, 3] - y0
                    square = dx * dx + dy * dy
                    along = ((px - x0) * dx + (py - y0) * dy) / (square if square > 0 else 1.0)
                    along = min(max(along, 0.0), 1.0)
                    fx, fy = x0 + along * dx, y0 + along * dy
                    apart = math.sqrt((px - fx) * (px - fx) + (py - fy) * (py - fy))
                    way = owner[piece]
                    if apart > radius or apart >= best[way]:
                        continue
                    if apart > clear[one]:
                        wide = max(abs(fx - px), abs(fy - py)) / 2 + wall_frame[5]
                        mx, my = (px + fx) / 2 - wall_frame[0], (py + fy) / 2 - wall_frame[1]
                        a0 = max(0, math.floor((mx - wide) / wall_frame[2]))
                        a1 = min(wall_columns - 1, math.floor((mx + wide) / wall_frame[2]))
                        b0 = max(0, math.floor((my - wide) / wall_frame[2]))
                        b1 = min(wall_rows - 1, math.floor((my + wide) / wall_frame[2]))
                        if a0 > a1:
                            b1 = b0 - 1
                        crossed = False
                        for line in range(b0, b1 + 1):
                            begin = wall_starts[line * wall_columns + a0]
                            for wall in range(begin, wall_starts[line * wall_columns + a1 + 1]):
                                ax, ay, bx, by = walls[wall]
                                side_a = (fx - px) * (ay - py) - (fy - py) * (ax - px)
                                side_b = (fx - px) * (by - py) - (fy - py) * (bx - px)
                                if (side_a >= 0) == (side_b >= 0):
                                    continue
                                side_p = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
                                side_f = (bx - ax) * (fy - ay) - (by - ay) * (fx - ax)
                                slack = TOUCH_M * math.sqrt(
                                    (bx - ax) * (bx - ax) + (by - ay) * (by - ay)
                                )
                                if (side_p > 0 and side_f < -slack) or (
                                    side_p < 0 and side_f > slack
                                ):
                                    crossed = True
                                    break
                            if crossed:
                                break
                        if crossed:
                            continue
                    if best[way] == np.inf:
                        met[count] = way
                        count += 1
                    best[way] = apart
                    place[way] = shares[piece, 0] + along * (shares[piece, 1] - shares[piece, 0])
                    nearest = min(nearest, apart)
                    if is_main[way]:
                        main = min(main, apart)
            reach = min(min(2 * main, main + DETOUR_M) + TOUCH_M, limit)
            if main == np.inf and radius < limit:
                radius = min(2 * radius, limit)
            elif reach > radius:
                radius = reach
            else:
                break
        island = min(min(2 * nearest, nearest + DETOUR_M) + TOUCH_M, reach)
        # the nearest few roads of each of the two kinds, by distance and then by number
        few[:] = np.inf
        for k in range(count):
            way = met[k]
            apart = best[way]
            kind = 1 if is_main[way] else 0
            if not is_road[way] or apart > (reach if is_main[way] else island):
                continue
            spot = MOST_LINKS
            while spot > 0 and (
                apart < few[kind, spot - 1]
                or (apart == few[kind, spot - 1] and way < few_way[kind, spot - 1])
            ):
                spot -= 1
                if spot < MOST_LINKS - 1:
                    few[kind, spot + 1] = few[kind, spot]
                    few_way[kind, spot + 1] = few_way[kind, spot]
            if spot < MOST_LINKS:
                few[kind, spot] = apart
                few_way[kind, spot] = way
        earliest = np.inf
        for k in range(count):
            way = met[k]
            apart = best[way]
            best[way] = np.inf
            kind = 1 if is_main[way] else 0
            if apart > (reach if is_main[way] else island):
                continue
            if is_road[way]:
                worst, worst_way = few[kind, MOST_LINKS - 1], few_way[kind, MOST_LINKS - 1]
                if apart > worst or (apart == worst and way > worst_way):
                    continue
            share = place[way]
            ms = min(
                ends_ms[way, 0] + share * ends_ms[way, 2],
                ends_ms[way, 1] + (1 - share) * ends_ms[way, 3],
            )
            for k2 in range(centre_rows[way], centre_rows[way + 1]):
                ahead = centres[k2, 0] - share if reverse else share - centres[k2, 0]
                if ahead >= 0:
                    ride = ahead * (ends_ms[way, 3] if reverse else ends_ms[way, 2])
                elif one_way[way]:
                    ride = np.inf
                else:
                    ride = -ahead * (ends_ms[way, 2] if reverse else ends_ms[way, 3])
                ms = min(ms, centres[k2, 1] + ride)
            earliest = min(earliest, ms + (apart if apart >= on_road_m else 0.0) * leg_ms)
        count = 0
        out_ms[one] = earliest if earliest <= last else np.inf
        out_nearest[one] = nearest


class _Kernel:
    """The loop above, compiled when first needed."""

    _lock = threading.Lock()
    _made: Callable[..., None] | None = None

    @classmethod
    def get(cls) -> Callable[..., None]:
        with cls._lock:
            if cls._made is None:
                cls._made = cls._compiled()
        return cls._made

    @staticmethod
    def _compiled() -> Callable[..., None]:
        """Compile, keeping the machine code on disk where a place for it can be written to."""
        import numba

        empty, none = np.empty((0, 2)), np.empty(0, dtype=bool)
        rows, frame = np.zeros(2, dtype=np.int64), np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
        four = np.empty((0, 4))
        for keep in (True, False):
            try:
                made: Callable[..., None] = numba.njit(nogil=True, cache=keep)(_spread)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    made(
                        *(
                            empty,
                            empty[:, 0].copy(),
                            empty[:, 0].copy(),
                            np.ones(4),
                            frame,
                            rows,
                            four,
                            rows[:0],
                        ),
                        *(empty, four, none, none, none, empty, rows[:1], frame, rows, four),
                        *(empty[:, 0].copy(), empty[:, 0].copy()),
                    )
            except (RuntimeError, OSError):
                if not keep:
                    raise
            else:
                return made
        raise AssertionError


def use_numba() -> bool:
    """Whether the compiled loop can be used here."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
