"""The graph of a network without some of its links, made from the whole one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from urbangeo.network.compile import street_arcs
from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.network import Network

__all__ = ["Thinned"]

IntArray: TypeAlias = NDArray[np.int64]

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


class Thinned:
    """The graph of a network with links closed.

    Of parallel links the graph holds the fastest; when it is closed the next one takes its place.

    Parameters
    ----------
    net
        The network.
    modes
        Modes that may be used.
    """

    def __init__(self, net: Network, modes: tuple[str, ...]) -> None:
        self.net = net
        self.graph: Graph = net.graph(modes)
        self.spare = _Spare.of(net, modes, self.graph.n_vertices)

    @cached_property
    def street(self) -> NDArray[np.bool_]:
        """Whether each arc stands for a link."""
        return np.isin(self.graph.kind, (ArcKind.ROAD, ArcKind.WALK))

    @cached_property
    def tails(self) -> IntArray:
        """Tail of each arc."""
        return np.repeat(np.arange(self.graph.n_vertices), np.diff(self.graph.indptr))

    @cached_property
    def _keys(self) -> IntArray:
        """A number for each arc, ascending, that its ends make."""
        keys: IntArray = self.tails * self.graph.n_vertices + self.graph.heads
        return keys

    def arcs_between(self, tails: IntArray, heads: IntArray) -> IntArray:
        """Numbers of the arcs between pairs of vertices, all of which have one."""
        keys = np.asarray(tails, dtype=np.int64) * self.graph.n_vertices + heads
        return np.searchsorted(self._keys, keys)

    def arcs_of(self, link: int) -> list[int]:
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
                if graph.item[arc] == link and self.street[arc]:
                    found.append(arc)
        return found

    def masked(self, links: Collection[int]) -> Graph:
        """Give the graph with links closed: parallel ones take their place, where there are any."""
        graph, n = self.graph, self.graph.n_vertices
        gone = np.array(list(chain.from_iterable(map(self.arcs_of, links))), dtype=np.int64)
        cost, kind, item = graph.cost_ms.copy(), graph.kind.copy(), graph.item.copy()
        lost = np.zeros(graph.n_arcs, dtype=bool)
        for arc in gone.tolist():
            tail, head = int(self.tails[arc]), int(graph.heads[arc])
            other = self.spare.best(tail, head, n, links)
            if other < 0:
                lost[arc] = True
            else:
                cost[arc] = self.spare.cost_ms[other]
                kind[arc], item[arc] = self.spare.kind[other], self.spare.item[other]
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

    # -- what falls off --------------------------------------------------------------------------

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

    def cut_off(self, links: Collection[int]) -> set[int] | None:
        """Vertices that fall off the largest component when links are closed; None if unclear."""
        graph, n = self.graph, self.graph.n_vertices
        main = graph.component
        gone = set()
        for link in links:
            for arc in self.arcs_of(link):
                ends = int(self.tails[arc]), int(graph.heads[arc])
                inside = main[ends[0]] == 0 and main[ends[1]] == 0
                if inside and self.spare.best(*ends, n, links) < 0:
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
