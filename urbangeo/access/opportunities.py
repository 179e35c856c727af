"""Times between origins and opportunities, searched from the side of the opportunities.

Some are searched at a time, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.entries import entries
from urbangeo.access.points import amounts
from urbangeo.access.searches import reach, reach_dense
from urbangeo.access.times import Asked, pair_times
from urbangeo.errors import InputError
from urbangeo.network.graph import MS
from urbangeo.network.network import Network
from urbangeo.network.snap import Snaps, snap

__all__ = ["Opportunities", "column_amounts", "labels_at", "node_ids"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_BLOCK_BYTES = 64 * 2**20


def column_amounts(table: gpd.GeoDataFrame, column: str | None, what: str) -> FloatArray:
    """Take a column of amounts, 0 or more; one each if there is none.

    Raises
    ------
    InputError
        If there is no such column, or a value is missing, negative or not finite.
    """
    if column is None:
        return np.ones(len(table))
    if column not in table.columns:
        raise InputError(
            f"{what}: there is no column {column!r}; found: {', '.join(map(str, table.columns))}."
        )
    return amounts(table[column], table["name"], f"{what}: {column}")


def node_ids(net: Network) -> pd.Index:
    """Ids of the nodes of a network, as an index."""
    ids: pd.Index = pd.Index(net._tables.nodes["id"], name="id")
    return ids


def labels_at(labels: Any, rows: IntArray, good: NDArray[np.bool_], index: pd.Index) -> pd.Series:
    """Give labels by row, None where there is none; pandas would make that NaN of texts."""
    told = np.full(len(index), None, dtype=object)
    told[good] = labels[rows[good]]
    return pd.Series(told, index=index, dtype=object)


@dataclass(frozen=True, eq=False)
class Opportunities:
    """Times between origins, or all nodes, and opportunities.

    Attributes
    ----------
    net, modes, direction
        The network, the modes that may be used, ``to`` or ``from`` the opportunities.
    origins
        The origins; the nodes of the network if None.
    opportunities
        The opportunities.
    limit_ms
        Longer times do not count; inclusive.
    """

    net: Network
    modes: tuple[str, ...]
    direction: str
    origins: gpd.GeoDataFrame | None
    opportunities: gpd.GeoDataFrame
    limit_ms: float

    @property
    def index(self) -> pd.Index:
        """Labels of the origins."""
        if self.origins is None:
            return node_ids(self.net)
        given: pd.Index = self.origins.index
        return given

    def __len__(self) -> int:
        return len(self.net._tables.nodes) if self.origins is None else len(self.origins)

    def _step(self, width: int) -> int:
        return max(1, _BLOCK_BYTES // (8 * max(width, 1)))

    def dense(self, rows: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
        """Some opportunities, and minutes between them and every origin; shape (some, origins)."""
        graph = self.net.graph(self.modes)
        if self.origins is None:
            snaps, every = self._snapped
            for start in range(0, len(rows), self._step(graph.n_vertices)):
                some = rows[start : start + self._step(graph.n_vertices)]
                ms = reach_dense(
                    graph, entries(snaps, every[some], leaving=self.direction == "from"),
                    reverse=self.direction == "to", limit_ms=self.limit_ms,
                )  # fmt: skip
                yield some, graph.at_nodes(ms) / MS
            return
        asked = self._asked
        assert asked is not None
        step = self._step(len(self.origins))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            near, far = asked.end[some], asked.begin
            sides = (far, near) if self.direction == "to" else (near, far)
            ms = pair_times(self.net, asked.graph, asked.snaps, asked.lonlat, *sides, self.limit_ms)
            yield some, (ms.T if self.direction == "to" else ms) / MS

    @cached_property
    def _asked(self) -> Asked | None:
        """Origins and opportunities on the graph; None where the nodes are the origins."""
        if self.origins is None:
            return None
        return Asked.of(self.net, self.origins, self.opportunities, self.modes)

    @cached_property
    def _snapped(self) -> tuple[Snaps, IntArray]:
        """How points get onto the graph, and which of them are the opportunities."""
        if self._asked is not None:
            return self._asked.snaps, self._asked.end
        snaps = snap(self.net, self.opportunities.geometry, self.modes)
        return snaps, np.arange(len(self.opportunities))

    @property
    def unsnapped(self) -> list[Any]:
        """Labels of the opportunities that find no way onto the network."""
        snaps, rows = self._snapped
        labels: list[Any] = self.opportunities.index[~snaps.snapped[rows]].tolist()
        return labels

    def pairs(self, rows: IntArray) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Opportunities, origins and minutes of the pairs within the limit, some at a time."""
        graph = self.net.graph(self.modes)
        if self.origins is not None or len(graph.layers) > 1 or np.isinf(self.limit_ms):
            for some, minutes in self.dense(rows):
                row, origin = np.nonzero(np.isfinite(minutes))
                yield some[row], origin, minutes[row, origin]
            return
        snaps, every = self._snapped
        step = self._step(2 * graph.n_vertices)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            found = reach(
                graph, entries(snaps, every[some], leaving=self.direction == "from"),
                reverse=self.direction == "to", limit_ms=self.limit_ms,
            )  # fmt: skip
            street = found.vertices < graph.n_nodes
            vertices = found.vertices[street].astype(np.int64)
            yield some[found.rows[street]], vertices, found.ms[street] / MS
