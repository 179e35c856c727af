"""From a view of a network to the graph that is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import NetworkError
from urbangeo.network.graph import ArcKind, Arcs, Graph, build_graph
from urbangeo.network.profiles import LINK_CLASSES, Profile
from urbangeo.network.rail import rail_arcs, rides
from urbangeo.network.tables import Tables

if TYPE_CHECKING:
    from urbangeo.network.network import Network

__all__ = ["compile_graph", "rough", "street_arcs", "walkable"]


def rough(tables: Tables, profile: Profile, what: str) -> NDArray[np.float64]:
    """Give each link the factor that its terrain has on ``sinuosity`` or ``speed``.

    A link between two terrains takes the mean of both.
    """
    terrain = tables.nodes["terrain"]
    if not profile.terrain or (terrain == "").all():
        return np.ones(len(tables.links))
    names = list(profile.terrain)
    table = np.ones((len(LINK_CLASSES), len(names) + 1))  # the last column: no rule, no change
    for column, name in enumerate(names):
        factors = getattr(profile.terrain[name], what)
        for row, kind in enumerate(LINK_CLASSES):
            table[row, column] = factors.get(kind, 1.0)
    number = {name: column for column, name in enumerate(names)}
    code = terrain.map(number).fillna(len(names)).to_numpy(dtype=np.int64)
    classes = tables.codes("class")
    both: NDArray[np.float64] = (
        table[classes, code[tables.tail]] + table[classes, code[tables.head]]
    )
    return both / 2


def walkable(net: Network) -> NDArray[np.int64]:
    """Rows of the links of a view on which one may walk: roads but for expressways."""
    fast = LINK_CLASSES.index("expressway")
    t, rows = net._tables, net.link_rows
    kept: NDArray[np.int64] = rows[(t.is_road & (t.codes("class") != fast))[rows]]
    return kept


def street_arcs(net: Network, modes: tuple[str, ...]) -> Arcs:
    """Arcs of the links of a view in the layers of its street, slower parallel ones too."""
    t = net._tables
    n = len(t.nodes)
    empty = np.empty(0, dtype=np.int64)
    parts = [Arcs.of(empty, empty, np.empty(0), ArcKind.ROAD)]
    for layer, mode in enumerate(net.street_rules(modes)):
        if mode not in modes:
            continue
        if mode == "road":
            rows, kind = net.link_rows[t.is_road[net.link_rows]], ArcKind.ROAD
            back = rows[~t.oneway[rows]]
        else:
            rows, kind = walkable(net), ArcKind.WALK
            back = rows
        there_ms, _ = net.link_ms(rows, mode)
        _, back_ms = net.link_ms(back, mode)
        start = layer * n
        parts.append(
            Arcs.of(t.tail[rows] + start, t.head[rows] + start, there_ms.astype(float), kind, rows)
        )
        parts.append(
            Arcs.of(t.head[back] + start, t.tail[back] + start, back_ms.astype(float), kind, back)
        )
    return Arcs.joined(parts)


def compile_graph(net: Network, modes: tuple[str, ...]) -> Graph:
    """Compile a view for a set of modes.

    Raises
    ------
    NetworkError
        If the view has no link or service of these modes.
    """
    t = net._tables
    n = len(t.nodes)
    layers = tuple(net.street_rules(modes))
    n_vertices = n * len(layers)
    parts = [street_arcs(net, modes)]
    made = None
    if "rail" in modes and len(net.service_rows):
        services = t.services.iloc[net.service_rows]
        made = rides(services, t.node_row.get_indexer(pd.Index(services["station"])), net.profile)
        least = t.nodes["transfer_min"].to_numpy(dtype=float)
        arcs, more = rail_arcs(made, least, n_vertices, layers, net.profile)
        n_vertices += more
        parts.append(arcs)
    if not sum(len(one.tail) for one in parts):
        raise NetworkError(f"{net.facts.title} has no link for the modes {', '.join(modes)}.")
    return build_graph(n, layers, n_vertices, Arcs.joined(parts), made)
