"""What closing a link does to the times between places, for many links without a search for each.

The answer is that of ``net.without(link)``, asked again. Three things may change when a link is
closed, and each is looked at on its own.

*The fastest way used it.* All detours of one pair are found together (Malik, Mittal and Gupta
1989; Hershberger and Suri 2001): a way round an arc leaves the tree of fastest ways from the origin
over one arc ``x -> y`` that crosses into the part of the tree behind the closed arc, so the least
``from origin to x + arc + from y to destination`` over the arcs that cross is its time. Where ``y``
itself would travel over the closed arc, which only one-way streets can bring about, the pair is
searched anew. Pairs whose fastest way does not use the link keep their time.

*A place entered there.* It is snapped anew without the link, and its times are searched anew.

*It held the network together.* What is behind a bridge becomes an island, and places near an island
are snapped by another rule; they are treated like those that entered on the link.

Of parallel links the graph holds the fastest; when it is closed the next one takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import depth_first_order

from urbangeo.access.engine import choose
from urbangeo.access.entries import entries
from urbangeo.access.times import Search, arrivals, direct_times, pair_times, search
from urbangeo.network.compile import street_arcs
from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.network import Network
from urbangeo.network.snap import (
    DETOUR_M,
    NEVER,
    TOUCH_M,
    Snaps,
    _Index,
    _legs,
    _ways_in,
    _WaysIn,
    snap,
)

__all__ = ["Closures", "Visit"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
Visit: TypeAlias = Callable[[IntArray, IntArray, IntArray, FloatArray], None]
"""Takes link rows, rows, columns, and the pairs' times without the link, milliseconds."""

_BLOCK_BYTES = 192 * 2**20  # times and trees of one block of points stay below this
_ROOM = 3.0  # what lies around a place is kept so many times farther than it is tried
_MOST_VISITED = 4000  # vertices that are looked at for a way round before everything is


@dataclass(frozen=True, eq=False)
class _Spare:
    """Arcs that have a faster parallel one, fastest first for each pair of vertices."""

    key: IntArray
    tail: IntArray
    head: IntArray
    cost_ms: IntArray
    kind: NDArray[np.int8]
    item: IntArray

    @classmethod
    def of(cls, net: Network, modes: tuple[str, ...], n_vertices: int) -> _Spare:
        arcs = street_arcs(net, modes)
        cost = np.maximum(1, np.rint(arcs.cost_ms)).astype(np.int64)
        order = np.lexsort((cost, arcs.head, arcs.tail))
        key = arcs.tail[order] * n_vertices + arcs.head[order]
        slower = np.zeros(len(order), dtype=bool)
        slower[1:] = key[1:] == key[:-1]
        some = order[slower]
        return cls(
            key[slower], arcs.tail[some], arcs.head[some], cost[some], arcs.kind[some],
            arcs.item[some],
        )  # fmt: skip

    def best(self, tail: int, head: int, n_vertices: int, closed: Collection[int]) -> int:
        """Row of the fastest parallel arc that stays open, -1 if none does."""
        key = tail * n_vertices + head
        place = int(np.searchsorted(self.key, key))
        while place < len(self.key) and self.key[place] == key:
            if int(self.item[place]) not in closed:
                return place
            place += 1
        return -1


class Closures:
    """The times between places, and what they become when links are closed.

    Parameters
    ----------
    net
        The network.
    points
        The places, EPSG:4326.
    rows, columns
        Which of the places one comes from, and which one goes to.
    modes
        Modes that may be used.

    Attributes
    ----------
    ms
        Milliseconds with every link open, infinite where there is no way; shape (rows, columns).
    """

    def __init__(
        self,
        net: Network,
        points: gpd.GeoSeries,
        rows: IntArray,
        columns: IntArray,
        modes: tuple[str, ...],
    ) -> None:
        self.net, self.points, self.modes = net, points, modes
        self.rows, self.columns = rows, columns
        self.graph: Graph = net.graph(modes)
        self.lonlat = shapely.get_coordinates(np.asarray(points.array))
        self.snaps: Snaps = snap(net, points, modes)
        self.ms: FloatArray = self._pair_times(self.graph, self.snaps, rows, columns)
        self._spare = _Spare.of(net, modes, self.graph.n_vertices)

    def _pair_times(
        self, graph: Graph, snaps: Snaps, rows: IntArray, columns: IntArray
    ) -> FloatArray:
        # a graph of the moment is not worth a hierarchy
        engine = choose(graph, min(len(rows), len(columns)), is_table=graph is self.graph)
        return pair_times(self.net, graph, snaps, self.lonlat, rows, columns, engine=engine)

    # -- the graph without some links ------------------------------------------------------------

    @cached_property
    def _street(self) -> NDArray[np.bool_]:
        """Whether each arc stands for a link."""
        return np.isin(self.graph.kind, (ArcKind.ROAD, ArcKind.WALK))

    @cached_property
    def _tails(self) -> IntArray:
        return np.repeat(np.arange(self.graph.n_vertices), np.diff(self.graph.indptr))

    @cached_property
    def _keys(self) -> IntArray:
        """A number for each arc, ascending, that its ends make."""
        keys: IntArray = self._tails * self.graph.n_vertices + self.graph.heads
        return keys

    def _arcs_between(self, tails: IntArray, heads: IntArray) -> IntArray:
        """Numbers of the arcs between pairs of vertices, all of which have one."""
        keys = np.asarray(tails, dtype=np.int64) * self.graph.n_vertices + heads
        return np.searchsorted(self._keys, keys)

    def _arcs_of(self, link: int) -> list[int]:
        """Arcs of the graph that stand for a link."""
        graph, t = self.graph, self.net._tables
        found = []
        for layer in range(len(graph.layers)):
            tail, head = (int(one[link]) + layer * graph.n_nodes for one in (t.tail, t.head))
            for ends in ((tail, head), (head, tail)):
                try:
                    arc = graph.arc(*ends)
                except KeyError:
                    continue
                if graph.item[arc] == link and self._street[arc]:
                    found.append(arc)
        return found

    def masked(self, links: Collection[int]) -> Graph:
        """Give the graph with links closed: parallel ones take their place, where there are any."""
        graph, n = self.graph, self.graph.n_vertices
        gone = np.array(list(chain.from_iterable(map(self._arcs_of, links))), dtype=np.int64)
        cost, kind, item = graph.cost_ms.copy(), graph.kind.copy(), graph.item.copy()
        lost = np.zeros(graph.n_arcs, dtype=bool)
        for arc in gone.tolist():
            tail, head = int(self._tails[arc]), int(graph.heads[arc])
            other = self._spare.best(tail, head, n, links)
            if other < 0:
                lost[arc] = True
            else:
                cost[arc] = self._spare.cost_ms[other]
                kind[arc], item[arc] = self._spare.kind[other], self._spare.item[other]
        kept = ~lost
        indptr = np.concatenate([[0], np.cumsum(kept)])[graph.indptr]
        return replace(
            graph,
            indptr=indptr.astype(np.int64),
            heads=graph.heads[kept],
            cost_ms=cost[kept],
            kind=kind[kept],
            item=item[kept],
            _cache={},
        )

    # -- who is snapped anew ---------------------------------------------------------------------

    @cached_property
    def _near(self) -> _Near:
        return _Near.of(self)

    def touched(self, links: Collection[int]) -> tuple[IntArray, Graph | None]:
        """Places that are snapped otherwise when links are closed, or may be.

        Also the graph without the links, where it had to be made to tell; its components are known.
        """
        near = self._near
        points = set(chain.from_iterable(near.by_link.get(one, ()) for one in links))
        points |= near.by_lost_node(links)
        masked = None
        cut = self._cut_off(links)
        if cut is None:
            masked = self.masked(links)
            before, after = self.graph.component, masked.component
            changed = (before[near.vertices] == 0) != (after[near.vertices] == 0)
        else:
            changed = np.isin(near.vertices, np.fromiter(cut, dtype=np.int64, count=len(cut)))
        points |= set(near.owner[changed].tolist())
        found = np.array(sorted(points), dtype=np.int64)
        if len(found) and masked is None:
            masked = self.masked(links)
            if not cut:
                masked._cache["component"] = self.graph.component
        return found, masked

    @cached_property
    def _lists(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Rows and neighbours as lists, forward and backward, which Python walks faster."""
        back = self.graph.matrix(reverse=True)
        forward = self.graph.indptr.tolist(), self.graph.heads.tolist()
        return *forward, back.indptr.tolist(), back.indices.tolist()

    @cached_property
    def _sizes(self) -> tuple[int, int]:
        """How many vertices of the street the two largest components have."""
        sizes = np.bincount(self.graph.component[: self.graph.n_streets], minlength=2)
        return int(sizes[0]), int(sizes[1:].max())

    def _cut_off(self, links: Collection[int]) -> set[int] | None:
        """Vertices that fall off the largest component when links are closed; None if unclear."""
        graph, n = self.graph, self.graph.n_vertices
        main = graph.component
        gone = set()
        for link in links:
            for arc in self._arcs_of(link):
                ends = int(self._tails[arc]), int(graph.heads[arc])
                inside = main[ends[0]] == 0 and main[ends[1]] == 0
                if inside and self._spare.best(*ends, n, links) < 0:
                    gone.add(ends)
        fallen: set[int] = set()
        for tail, head in gone:
            if tail in fallen or head in fallen:
                continue
            cut = self._behind(tail, head, gone)
            if cut is None:
                return None
            fallen |= cut
        street = sum(one < graph.n_streets for one in fallen)
        whole, second = self._sizes
        if fallen and whole - street <= max(street, second):
            return None
        return fallen

    def _behind(self, tail: int, head: int, gone: Collection[tuple[int, int]]) -> set[int] | None:
        """Vertices that fall off when nobody goes from ``tail`` to ``head`` directly any more.

        Empty if there is a way round; None if that is not found out quickly.
        """
        ahead, heads, behind, tails = self._lists
        there, back = {tail}, {head}
        stack_there, stack_back = [tail], [head]
        while True:
            if not stack_there or not stack_back:
                side = back if stack_there else there
                return side if self._closed(side, gone) else None
            if len(there) + len(back) > _MOST_VISITED:
                return None
            # breadth first, a ring on either side in turn
            for stack, seen, other, starts, ends, turned in (
                (stack_there, there, back, ahead, heads, False),
                (stack_back, back, there, behind, tails, True),
            ):
                fresh = []
                for one in stack:
                    for place in range(starts[one], starts[one + 1]):
                        to = ends[place]
                        if to in seen or ((to, one) if turned else (one, to)) in gone:
                            continue
                        if to in other:
                            return set()
                        seen.add(to)
                        fresh.append(to)
                stack[:] = fresh

    def _closed(self, side: set[int], gone: Collection[tuple[int, int]]) -> bool:
        """Whether no arc that stays leads into or out of some vertices."""
        ahead, heads, behind, tails = self._lists
        for one in side:
            for place in range(ahead[one], ahead[one + 1]):
                if heads[place] not in side and (one, heads[place]) not in gone:
                    return False
            for place in range(behind[one], behind[one + 1]):
                if tails[place] not in side and (tails[place], one) not in gone:
                    return False
        return True

    def _resnapped(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """How places get onto the network without some links; the others as before."""
        fresh = self._near.snapped(links, points, graph)
        return _merged(self.snaps, fresh, points)

    # -- closing one link after another ----------------------------------------------------------

    def each(
        self, links: IntArray, visit: Visit, tick: Callable[[int], object] | None = None
    ) -> None:
        """Close each link in turn, and hand over the pairs whose time that changes.

        Parameters
        ----------
        links
            Rows of links that may be driven or walked.
        visit
            Called with what changed; no pair of one link comes twice.
        tick
            Called with a number of further links done, at last with all of them.
        """
        touches: dict[int, IntArray] = {}
        for done, link in enumerate(links.tolist(), 1):
            points, graph = self.touched((link,))
            if len(points):
                touches[link] = points
                assert graph is not None
                self._visit_touched(link, points, graph, visit)
            if tick is not None and done % 100 == 0:
                tick(50)
        wanted, is_touched = (np.zeros(len(self.net._tables.links), dtype=bool) for _ in range(2))
        wanted[links] = True
        is_touched[list(touches)] = True
        again: dict[int, list[tuple[int, int]]] = {}
        for i, j, used, new in self._detours(wanted):
            new = np.minimum(new, self._direct[i, j])
            fresh = ~is_touched[used]
            for place in np.flatnonzero(~fresh).tolist():
                points = touches[int(used[place])]
                fresh[place] = self.rows[i] not in points and self.columns[j] not in points
            unsure = fresh & np.isnan(new)
            for link in used[unsure].tolist():
                again.setdefault(link, []).append((i, j))
            later = fresh & (new > self.ms[i, j])
            if later.any():
                k = int(later.sum())
                visit(used[later], np.full(k, i), np.full(k, j), new[later])
        for link, pairs in again.items():
            self._visit_again(link, np.array(pairs), visit)
        if tick is not None:
            tick(len(links) - len(links) // 100 * 50)

    def _visit_touched(self, link: int, points: IntArray, graph: Graph, visit: Visit) -> None:
        """Hand over the pairs of the places that are snapped anew."""
        snaps = self._resnapped((link,), points, graph)
        some, others = np.isin(self.rows, points), np.isin(self.columns, points)
        new = self.ms.copy()
        if some.any():
            new[some] = self._pair_times(graph, snaps, self.rows[some], self.columns)
        if others.any():
            new[:, others] = self._pair_times(graph, snaps, self.rows, self.columns[others])
        i, j = np.nonzero(new != self.ms)
        if len(i):
            visit(np.full(len(i), link), i, j, new[i, j])

    def _visit_again(self, link: int, pairs: IntArray, visit: Visit) -> None:
        """Hand over pairs whose detour only a search can tell."""
        i, j = pairs.T
        some, place = np.unique(i, return_inverse=True)
        others, spot = np.unique(j, return_inverse=True)
        graph = self.masked((link,))
        found = self._pair_times(graph, self.snaps, self.rows[some], self.columns[others])
        new = found[place, spot]
        later = new > self.ms[i, j]
        if later.any():
            visit(np.full(int(later.sum()), link), i[later], j[later], new[later])

    @cached_property
    def _direct(self) -> FloatArray:
        """Times of the ways that need no vertex."""
        found = direct_times(
            self.net, self.graph.layers, self.snaps, self.lonlat, self.rows, self.columns,
            reverse=False,
        )  # fmt: skip
        return found.ms

    # -- all detours of a pair -------------------------------------------------------------------

    def _blocks(self, points: IntArray, *, reverse: bool) -> Iterator[tuple[int, Search]]:
        """Search from points, some at a time: number of the first, and what was found."""
        step = max(1, _BLOCK_BYTES // (12 * self.graph.n_vertices))
        for start in range(0, len(points), step):
            some = points[start : start + step]
            yield start, search(self.graph, self.snaps, some, reverse=reverse, paths=True)

    def _detours(
        self, wanted: NDArray[np.bool_]
    ) -> Iterator[tuple[int, int, IntArray, FloatArray]]:
        """For each pair the wanted links on its fastest way, and its time without each.

        NaN where only a search can tell.
        """
        both = len(self.graph.layers) > 1
        for first_j, back in self._blocks(self.columns, reverse=True):
            for first_i, there in self._blocks(self.rows, reverse=False):
                columns = self.columns[first_j : first_j + len(back.ms)]
                times = arrivals(there, self.snaps, columns, reverse=False)
                for row in range(len(there.ms)):
                    i = first_i + row
                    tree: _Tree | None = None
                    for column in range(len(back.ms)):
                        j = first_j + column
                        # a pair without a way, or with one that needs no vertex, has no detour
                        if not times[row, column] < min(self._direct[i, j], np.inf):
                            continue
                        if tree is None:
                            tree = self._tree(there, row, int(self.rows[i]))
                        way = tree.way(self._last_vertex(there.ms[row], int(self.columns[j])))
                        links, edges = self._on_way(way, wanted)
                        if not len(links):
                            continue
                        if both:  # a detour by car may not walk along the closed link, either
                            yield i, j, np.unique(links), np.full(len(np.unique(links)), np.nan)
                            continue
                        new = self._around(tree, way, back, column, int(self.columns[j]))
                        yield i, j, links, new[edges]

    def _tree(self, there: Search, row: int, point: int) -> _Tree:
        assert there.before is not None
        snaps = self.snaps
        own = np.flatnonzero((snaps.point == point) & (snaps.out_ms < NEVER))
        ways_in = snaps.vertex[own], snaps.out_ms[own]
        return _Tree.of(there.ms[row], there.before[row], self._every, self.graph.n_arcs, ways_in)

    @cached_property
    def _every(self) -> tuple[IntArray, IntArray, IntArray]:
        """Tails, heads and costs of all arcs, the slower parallel ones last."""
        graph, spare = self.graph, self._spare
        return (
            np.concatenate([self._tails, spare.tail]),
            np.concatenate([graph.heads, spare.head]),
            np.concatenate([graph.cost_ms, spare.cost_ms]),
        )

    def _last_vertex(self, ms: FloatArray, point: int) -> int:
        snaps = self.snaps
        ways = np.flatnonzero((snaps.point == point) & (snaps.in_ms < NEVER))
        best = ways[np.argmin(ms[snaps.vertex[ways]] + snaps.in_ms[ways])]
        return int(snaps.vertex[best])

    def _on_way(self, way: IntArray, wanted: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
        """Wanted links on a way, and their place on it; the way begins at the point itself."""
        graph = self.graph
        arcs = self._arcs_between(way[1:-1], way[2:])
        street = self._street[arcs]
        item = np.where(street, graph.item[arcs], 0)  # others number rides
        chosen = np.flatnonzero(street & wanted[item])
        return item[chosen], chosen + 1

    def _around(
        self, tree: _Tree, way: IntArray, back: Search, column: int, point: int
    ) -> FloatArray:
        """Time of the fastest way round each arc of a way; NaN where only a search can tell."""
        assert back.before is not None
        to_end = back.ms[column]
        snaps = self.snaps
        place = tree.place_on(way)
        begin, end = place[tree.tail_at], place[tree.head_at]
        over = np.flatnonzero(begin < end)
        begin, end, entry = begin[over], end[over], tree.head[over]
        value = tree.base[over] + to_end[entry]
        # leaving the network somewhere else is one more way round
        exits = np.flatnonzero((snaps.point == point) & (snaps.in_ms < NEVER))
        at = tree.at[snaps.vertex[exits]]
        exits, at = exits[at >= 0], at[at >= 0]
        begin = np.concatenate([begin, place[at]])
        end = np.concatenate([end, np.full(len(exits), len(way))])
        value = np.concatenate([value, tree.ms[snaps.vertex[exits]] + snaps.in_ms[exits]])
        entry = np.concatenate([entry, np.full(len(exits), -1)])
        good = np.isfinite(value)
        begin, end, value, entry = begin[good], end[good], value[good], entry[good]
        order = np.argsort(value, kind="stable")
        least = _least_over(begin[order], end[order], len(way))
        new = np.full(len(way), np.inf)
        found = np.flatnonzero(least < len(order))
        chosen = order[least[found]]
        new[found] = value[chosen]
        # the way on from the entry must not use the arc that is closed
        entry = entry[chosen]
        inner = (entry >= 0) & (found + 1 < len(way)) & (found > 0)
        entry, found = entry[inner], found[inner]
        tail, head = way[found], way[found + 1]
        unsure = np.flatnonzero(to_end[entry] >= to_end[tail])
        bad = _passes(back.before[column], to_end, entry[unsure], tail[unsure], head[unsure])
        new[found[unsure[bad]]] = np.nan
        return new

    # -- closing several links at once -----------------------------------------------------------

    def without(self, links: Collection[str]) -> FloatArray:
        """Times without some links and services, by id; milliseconds, shape (rows, columns)."""
        t = self.net._tables
        wanted = {links} if isinstance(links, str) else {str(one) for one in links}
        rows = self.net.link_rows
        closed = rows[t.links["id"].iloc[rows].isin(wanted).to_numpy(dtype=bool)]
        if len(closed) != len(wanted) or not t.is_road[closed].all():
            # a service shares its riders with others, so that rides are made anew
            view = self.net.without(sorted(wanted))
            snaps, graph = snap(view, self.points, self.modes), view.graph(self.modes)
            return pair_times(view, graph, snaps, self.lonlat, self.rows, self.columns)
        some = closed.tolist()
        points, masked = self.touched(some)
        if not len(points) and not self._used[closed].any():
            return self.ms.copy()
        graph = self.masked(some) if masked is None else masked
        snaps = self._resnapped(some, points, graph) if len(points) else self.snaps
        return self._pair_times(graph, snaps, self.rows, self.columns)

    @cached_property
    def _used(self) -> NDArray[np.bool_]:
        """Whether each link lies on the fastest way of a pair."""
        used = np.zeros(len(self.net._tables.links), dtype=bool)
        for near, far, reverse in self._sides():
            ends = entries(self.snaps, far, leaving=reverse)
            for _, found in self._blocks(near, reverse=reverse):
                assert found.before is not None
                for before in found.before:
                    for arcs in self._arcs_to(before, np.unique(ends.vertices), reverse=reverse):
                        used[self.graph.item[arcs[self._street[arcs]]]] = True
        return used

    def _sides(self) -> Iterator[tuple[IntArray, IntArray, bool]]:
        """The points to search from, those to search for, and whether towards the former."""
        if len(self.columns) < len(self.rows):
            yield self.columns, self.rows, True
        else:
            yield self.rows, self.columns, False

    def _arcs_to(
        self, before: NDArray[np.int32], vertices: IntArray, *, reverse: bool
    ) -> Iterator[IntArray]:
        """Arcs of a tree that lead to some vertices, a step back at a time, each once."""
        n = self.graph.n_vertices
        seen = np.zeros(n, dtype=bool)
        todo = vertices
        while len(todo):
            seen[todo] = True
            came = before[todo].astype(np.int64)
            inner = (came >= 0) & (came < n)
            came, todo = came[inner], todo[inner]
            yield self._arcs_between(todo, came) if reverse else self._arcs_between(came, todo)
            todo = np.unique(came[~seen[came]])

    def ways(self) -> Iterator[tuple[int, int, IntArray, tuple[str, ...]]]:
        """For each pair that has a way, the rows of its links and the ids of its trains."""
        direct = direct_times(
            self.net, self.graph.layers, self.snaps, self.lonlat, self.rows, self.columns,
            reverse=False,
        )  # fmt: skip
        for near, far, reverse in self._sides():
            for start, found in self._blocks(near, reverse=reverse):
                for row in range(len(found.ms)):
                    for place in range(len(far)):
                        one = start + row
                        i, j = (place, one) if reverse else (one, place)
                        if not np.isfinite(self.ms[i, j]):
                            continue
                        if direct.ms[i, j] <= self.ms[i, j]:
                            link = direct.link[i, j : j + 1]
                            yield i, j, link[link >= 0], ()
                        else:
                            used = self._way(found, row, int(near[one]), int(far[place]), reverse)
                            yield i, j, *used

    def _way(
        self, found: Search, row: int, near: int, far: int, reverse: bool
    ) -> tuple[IntArray, tuple[str, ...]]:
        """Links and trains of the fastest way between two points over the graph."""
        graph, snaps = self.graph, self.snaps
        assert found.before is not None
        out, into = snaps.out_ms, snaps.in_ms
        ends = np.flatnonzero((snaps.point == far) & ((out if reverse else into) < NEVER))
        legs = (out if reverse else into)[ends]
        last = int(ends[np.argmin(found.ms[row, snaps.vertex[ends]] + legs)])
        steps = self._arcs_to(found.before[row], snaps.vertex[[last]], reverse=reverse)
        arcs = np.concatenate([np.empty(0, dtype=np.int64), *steps])
        vertex = int(snaps.vertex[last])
        if len(arcs):
            vertex = int(graph.heads[arcs[-1]] if reverse else self._tails[arcs[-1]])
        begins = np.flatnonzero((snaps.point == near) & (snaps.vertex == vertex))
        first = int(begins[np.argmin((into if reverse else out)[begins])])
        links = [graph.item[arcs[self._street[arcs]]]]
        leave, arrive = (last, first) if reverse else (first, last)
        parks = 0 if snaps.foot[arrive] else snaps.park_ms
        for way, ms in ((leave, out[leave]), (arrive, into[arrive] - parks)):
            if ms > snaps.leg_ms[way]:
                links.append(snaps.link[[way]])
        rides = graph.item[arcs[graph.kind[arcs] == ArcKind.RIDE]]
        trains: dict[str, None] = {}
        for ride in rides.tolist():
            assert graph.rides is not None
            trains.update(dict.fromkeys(graph.rides.taken(ride)))
        return np.unique(np.concatenate(links)), tuple(trains)


@dataclass(frozen=True, eq=False)
class _Tree:
    """The fastest ways from one place, numbered so that what lies behind an arc is one run.

    Attributes
    ----------
    ms, before
        As the search found them; the place itself is vertex ``n``.
    at
        Position of each vertex in the order, -1 if it is not reached; the place is at 0.
    depth
        Number of arcs from the place, by position.
    tail_at, head_at, head
        The arcs that are not of the tree: positions of their ends, and the head itself.
    base
        Milliseconds from the place over the arc to its head.
    """

    ms: FloatArray
    before: NDArray[np.int32]
    at: IntArray
    depth: NDArray[np.int32]
    tail_at: IntArray
    head_at: IntArray
    head: IntArray
    base: FloatArray

    @classmethod
    def of(
        cls,
        ms: FloatArray,
        before: NDArray[np.int32],
        arcs: tuple[IntArray, IntArray, IntArray],
        n_fastest: int,
        ways_in: tuple[IntArray, IntArray],
    ) -> _Tree:
        n = len(ms)
        reached = np.flatnonzero(np.isfinite(ms))
        parent = np.full(n + 1, n, dtype=np.int64)
        came = before[reached]
        parent[reached] = np.where((came < 0) | (came >= n), n, came)
        order = reached[np.argsort(parent[reached], kind="stable")]
        indptr = np.zeros(n + 2, dtype=np.int32)
        np.cumsum(np.bincount(parent[reached], minlength=n + 1), out=indptr[1:])
        shape = (n + 1, n + 1)
        children = csr_array((np.ones(len(order)), order.astype(np.int32), indptr), shape=shape)
        sequence = depth_first_order(children, n, return_predecessors=False)
        at = np.full(n + 1, -1, dtype=np.int64)
        at[sequence] = np.arange(len(sequence))
        depth = _depths(at[parent[sequence]])
        tail, head, cost = arcs
        other = np.isfinite(ms[tail])
        # an arc of the tree crosses nothing but on the way itself, where it is what is closed
        other[:n_fastest] &= before[head[:n_fastest]] != tail[:n_fastest]
        tail, head, cost = tail[other], head[other], cost[other]
        vertex, leg = ways_in
        return cls(
            ms=ms,
            before=before,
            at=at[:n],
            depth=depth,
            tail_at=np.concatenate([at[tail], np.zeros(len(vertex), dtype=np.int64)]),
            head_at=at[np.concatenate([head, vertex])],
            head=np.concatenate([head, vertex]),
            base=np.concatenate([ms[tail] + cost, leg.astype(float)]),
        )

    def way(self, last: int) -> IntArray:
        """Vertices of the fastest way to a vertex, the place itself first."""
        n, before = len(self.ms), self.before
        way = [last]
        while 0 <= before[way[-1]] < n:
            way.append(int(before[way[-1]]))
        return np.array([n, *way[::-1]], dtype=np.int64)

    def place_on(self, way: IntArray) -> NDArray[np.int32]:
        """For each position in the order, the last vertex of a way on the way to it.

        What lies behind a vertex is one run that begins with it, so before the way's last vertex
        the place is how many of the way's vertices have come, and after it the least depth since
        tells which of the runs have ended.
        """
        starts = np.concatenate([[0], self.at[way[1:]]])
        last = len(way) - 1
        counts = np.diff(np.append(starts, starts[-1] + 1))
        before = np.repeat(np.arange(len(way), dtype=np.int32), counts)
        since = np.minimum.accumulate(self.depth[starts[-1] + 1 :])
        return np.concatenate([before, np.minimum(since - 1, last).astype(np.int32)])


def _depths(parent: IntArray) -> NDArray[np.int32]:
    """Depth in a tree, by doubling the step; the root is at 0 and its own parent."""
    step = parent.copy()
    step[0] = 0
    depth = np.ones(len(step), dtype=np.int32)
    depth[0] = 0
    while step.any():
        depth += depth[step]
        step = step[step]
    return depth


def _least_over(begin: IntArray, end: IntArray, size: int) -> IntArray:
    """For each place the first of the spans ``begin <= place < end`` that cover it.

    ``len(begin)`` where none does. Each span is two runs of a power of two, which are handed
    down to their halves.
    """
    none = len(begin)
    length = end - begin
    level = np.frexp(length.astype(float))[1] - 1
    top = int(level.max()) if none else 0
    table = np.full((top + 1, size), none, dtype=np.int64)
    number = np.arange(none)
    np.minimum.at(table, (level, begin), number)
    np.minimum.at(table, (level, end - (1 << level)), number)
    for one in range(top, 0, -1):
        half = 1 << (one - 1)
        np.minimum(table[one - 1], table[one], out=table[one - 1])
        np.minimum(table[one - 1, half:], table[one, :-half], out=table[one - 1, half:])
    first: IntArray = table[0]
    return first


def _passes(
    before: NDArray[np.int32],
    ms: FloatArray,
    start: IntArray,
    tail: IntArray,
    head: IntArray,
) -> NDArray[np.bool_]:
    """Whether the fastest ways from some vertices to the end use arcs, one for each."""
    n = len(ms)
    ms = np.append(ms, -np.inf)  # the end itself
    now = start.copy()
    while (ahead := ms[now] > ms[tail]).any():
        came = before[now[ahead]]
        now[ahead] = np.where((came < 0) | (came >= n), n, came)
    passes: NDArray[np.bool_] = (now == tail) & (before[tail] == head)
    return passes


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

    of_closures: Closures
    by_link: dict[int, list[int]]
    nodes: dict[int, list[int]]
    vertices: IntArray
    owner: IntArray
    around: tuple[_Around, ...]

    @classmethod
    def of(cls, whole: Closures) -> _Near:
        net, t = whole.net, whole.net._tables
        plane, layers = _ways_in(net, whole.modes)
        spots = shapely.points(plane.xy(whole.lonlat))
        rules = net.street_rules(whole.modes)
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
        return cls(whole, by_link, nodes, vertices, owned, tuple(around))

    @cached_property
    def _links_at(self) -> dict[int, set[int]]:
        """The links of the graph at each node through which a place enters."""
        whole = self.of_closures
        t, graph = whole.net._tables, whole.graph
        item = graph.item[whole._street]
        rows = np.unique(np.concatenate([item, whole._spare.item]))
        found: dict[int, set[int]] = {one: set() for one in self.nodes}
        for ends in (t.tail[rows], t.head[rows]):
            for place in np.flatnonzero(np.isin(ends, list(found))):
                found[int(ends[place])].add(int(rows[place]))
        return found

    @cached_property
    def _with_trains(self) -> set[int]:
        """Nodes from which one gets to a platform."""
        graph = self.of_closures.graph
        some = (graph.kind == ArcKind.ENTER) | (graph.kind == ArcKind.EXIT)
        ends = np.concatenate([self.of_closures._tails[some], graph.heads[some]])
        return set((ends[ends < graph.n_streets] % graph.n_nodes).tolist())

    def by_lost_node(self, links: Collection[int]) -> set[int]:
        """Places that enter through a node to which no link leads any more."""
        t = self.of_closures.net._tables
        closed = set(links)
        ends = {int(one[link]) for link in links for one in (t.tail, t.head)} & set(self.nodes)
        lost = (
            self.nodes[node]
            for node in ends
            if self._links_at[node] <= closed and node not in self._with_trains
        )
        return set(chain.from_iterable(lost))

    def snapped(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """How some places get onto the network without some links.

        Only what lies around a place is looked at, unless too little of it is left.
        """
        whole = self.of_closures
        net, t = whole.net, whole.net._tables
        plane, _ = _ways_in(net, whole.modes)
        lonlat = whole.lonlat[points]
        spots = shapely.points(plane.xy(lonlat))
        main, island = (np.full(len(points), np.nan) for _ in range(2))
        touched = np.zeros(graph.n_vertices, dtype=bool)
        touched[graph.heads] = True
        touched |= np.diff(graph.indptr) > 0
        parts = []
        for one in self.around:
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
        return Snaps(**columns, nearest_m=main, island_m=island, park_ms=whole.snaps.park_ms)

    def _plainly(self, links: Collection[int], points: IntArray, graph: Graph) -> Snaps:
        """Snap some places onto the whole network without some links."""
        whole = self.of_closures
        ids = whole.net._tables.links["id"].iloc[sorted(links)]
        view = whole.net.without(list(ids))
        view.derived("graph", whole.modes, lambda: graph)
        return snap(view, whole.points.iloc[points], whole.modes)


def _reach_m(nearest_m: FloatArray, limit_m: float) -> FloatArray:
    """How far from a place ways in are tried, by how far its nearest is; infinite if too far."""
    tried = np.minimum(np.minimum(2 * nearest_m, nearest_m + DETOUR_M) + TOUCH_M, limit_m)
    reach: FloatArray = np.where(nearest_m <= limit_m, tried, np.inf)
    return reach
