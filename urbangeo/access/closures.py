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
from functools import cached_property
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.access.detours import Tree, least_over, passes
from urbangeo.access.engine import choose
from urbangeo.access.entries import entries
from urbangeo.access.resnapping import Resnapping
from urbangeo.access.thinned import Thinned
from urbangeo.access.times import Search, arrivals, direct_times, pair_times, search
from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.network import Network
from urbangeo.network.snap import NEVER, Snaps, snap

__all__ = ["Closures", "Visit"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
Visit: TypeAlias = Callable[[IntArray, IntArray, IntArray, FloatArray], None]
"""Takes link rows, rows, columns, and the pairs' times without the link, milliseconds."""

_BLOCK_BYTES = 192 * 2**20  # times and trees of one block of points stay below this


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
    thinned
        Gives the graph without some links.
    resnapping
        Tells how places get onto that.
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
        self.thinned = Thinned(net, modes)
        self.resnapping = Resnapping(self.thinned, modes, points, self.snaps)

    def _pair_times(
        self, graph: Graph, snaps: Snaps, rows: IntArray, columns: IntArray
    ) -> FloatArray:
        # a graph of the moment is not worth a hierarchy
        engine = choose(graph, min(len(rows), len(columns)), is_table=graph is self.graph)
        return pair_times(self.net, graph, snaps, self.lonlat, rows, columns, engine=engine)

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
            points, graph = self.resnapping.touched((link,))
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
        snaps = self.resnapping.snapped((link,), points, graph)
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
        graph = self.thinned.masked((link,))
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
                    tree: Tree | None = None
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

    def _tree(self, there: Search, row: int, point: int) -> Tree:
        assert there.before is not None
        snaps = self.snaps
        own = np.flatnonzero((snaps.point == point) & (snaps.out_ms < NEVER))
        ways_in = snaps.vertex[own], snaps.out_ms[own]
        return Tree.of(there.ms[row], there.before[row], self._every, self.graph.n_arcs, ways_in)

    @cached_property
    def _every(self) -> tuple[IntArray, IntArray, IntArray]:
        """Tails, heads and costs of all arcs, the slower parallel ones last."""
        graph, spare = self.graph, self.thinned.spare
        return (
            np.concatenate([self.thinned.tails, spare.tail]),
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
        arcs = self.thinned.arcs_between(way[1:-1], way[2:])
        street = self.thinned.street[arcs]
        item = np.where(street, graph.item[arcs], 0)  # others number rides
        chosen = np.flatnonzero(street & wanted[item])
        return item[chosen], chosen + 1

    def _around(
        self, tree: Tree, way: IntArray, back: Search, column: int, point: int
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
        least = least_over(begin[order], end[order], len(way))
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
        bad = passes(back.before[column], to_end, entry[unsure], tail[unsure], head[unsure])
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
        points, masked = self.resnapping.touched(some)
        if not len(points) and not self._used[closed].any():
            return self.ms.copy()
        graph = self.thinned.masked(some) if masked is None else masked
        snaps = self.resnapping.snapped(some, points, graph) if len(points) else self.snaps
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
                        used[self.graph.item[arcs[self.thinned.street[arcs]]]] = True
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
            ends = (todo, came) if reverse else (came, todo)
            yield self.thinned.arcs_between(*ends)
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
            vertex = int(graph.heads[arcs[-1]] if reverse else self.thinned.tails[arcs[-1]])
        begins = np.flatnonzero((snaps.point == near) & (snaps.vertex == vertex))
        first = int(begins[np.argmin((into if reverse else out)[begins])])
        links = [graph.item[arcs[self.thinned.street[arcs]]]]
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
