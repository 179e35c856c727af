"""Rail as it is travelled: into the station, wait, ride, dwell, change, out again.

Each station has a concourse. Each service, in each direction, has at each call a vertex where its
train has arrived and one where it is ready to depart::

    street --enter--> concourse --wait--> ready --ride--> arrived --dwell--> ready ...
    street <--exit--- arrived --transfer--> concourse

so that a change of trains costs a transfer and a new wait, but no second security check, and
staying on board costs the dwell only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import NetworkError
from urbangeo.network.graph import MS, ArcKind
from urbangeo.network.profiles import Profile

__all__ = ["RailArcs", "rail_arcs"]

_SMALLEST_DWELL_MIN = 1 / 60  # a train that does not dwell still takes a second: costs stay above 0


@dataclass(frozen=True)
class RailArcs:
    """Arcs of all services, and the vertices that they add.

    Attributes
    ----------
    tail, head, cost_ms, kind, item
        One value for each arc; ``item`` is a row of the services table.
    vertex_node
        Node row of the station of each vertex added, in their order.
    """

    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    cost_ms: NDArray[np.float64]
    kind: NDArray[np.int8]
    item: NDArray[np.int64]
    vertex_node: NDArray[np.int64]


def rail_arcs(
    services: pd.DataFrame, station_node: NDArray[np.int64], n: int, profile: Profile
) -> RailArcs:
    """Turn services into arcs.

    Parameters
    ----------
    services
        Checked rows, ordered by service and ``seq``.
    station_node
        Node row of each row's station.
    n
        Number of vertices that there are already; the first one added gets this number.
    profile
        Boarding rules by class.

    Raises
    ------
    NetworkError
        If the profile has no boarding rule for a class.
    """
    missing = sorted(set(services["class"]) - set(profile.rail))
    if missing:
        raise NetworkError(
            f"Profile {profile.name!r} has no boarding rule for {', '.join(missing)}; "
            f"add [{profile.name}.rail.{missing[0]}] to its profiles.toml."
        )
    arcs: list[tuple[int, int, float, ArcKind, int]] = []
    vertex_node: list[int] = []

    def vertex(node: int) -> int:
        vertex_node.append(node)
        return n + len(vertex_node) - 1

    concourse: dict[tuple[int, str], int] = {}
    for _, rows in services.groupby("service", sort=False):
        kind = str(rows["class"].iloc[0])
        rule = profile.rail[kind]
        wait = rule.wait_min(float(rows["headway_min"].iloc[0]))
        items = rows.index.to_numpy()
        nodes = station_node[items]
        run = rows["run_min"].to_numpy(dtype=float)
        dwell = np.maximum(rows["dwell_min"].to_numpy(dtype=float), _SMALLEST_DWELL_MIN)
        last = len(items) - 1
        for stops, runs in (
            (range(last + 1), run),  # runs[i] leads to stop i from the one before it
            (range(last, -1, -1), np.append(run[1:], np.nan)),
        ):
            ready_before: int | None = None
            for order, stop in enumerate(stops):
                node, item = int(nodes[stop]), int(items[stop])
                hall = concourse.get((node, kind))
                if hall is None:
                    hall = concourse[node, kind] = vertex(node)
                    arcs.append((node, hall, rule.entry_min, ArcKind.ENTER, item))
                arrived = None
                if ready_before is not None:
                    arrived = vertex(node)
                    arcs.append((ready_before, arrived, runs[stop], ArcKind.RIDE, item))
                    arcs.append((arrived, hall, rule.transfer_min, ArcKind.TRANSFER, item))
                    arcs.append((arrived, node, rule.exit_min, ArcKind.EXIT, item))
                if order == last:
                    break
                ready = vertex(node)
                arcs.append((hall, ready, wait, ArcKind.WAIT, item))
                if arrived is not None:
                    arcs.append((arrived, ready, dwell[stop], ArcKind.DWELL, item))
                ready_before = ready
    # Between the halls of two classes at one station (high-speed and metro, say) one leaves and
    # enters again: both ways lead over the street vertex, so no arc of its own is needed.
    columns = list(zip(*arcs, strict=True)) if arcs else [(), (), (), (), ()]
    return RailArcs(
        tail=np.array(columns[0], dtype=np.int64),
        head=np.array(columns[1], dtype=np.int64),
        cost_ms=np.array(columns[2], dtype=float) * MS,
        kind=np.array(columns[3], dtype=np.int8),
        item=np.array(columns[4], dtype=np.int64),
        vertex_node=np.array(vertex_node, dtype=np.int64),
    )
