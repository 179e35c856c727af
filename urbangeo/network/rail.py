"""Rail as it is travelled: into the station, wait, ride, change, out again.

Each station has, for each class of trains that call at it, a hall and a platform at which one has
arrived. A ride leads from the hall of one station to the platform of another that is reached
without a change::

    street --enter--> hall --ride--> platform --exit--> street
                      hall <--transfer-- platform

A ride takes the services of which a traveller would board whichever comes first: of all that
serve the pair, those that together give the least expected wait and run (Spiess and Florian 1989,
for one pair of stops). Trains of one line that stop at different places therefore share their
frequency. The expected wait is a share of the joint headway: half of it is the mean wait at
regular departures, 0.9 of it the wait that is exceeded one time in ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.errors import NetworkError
from urbangeo.network.graph import MS, ArcKind, Arcs
from urbangeo.network.profiles import RAIL_CLASSES, Profile

__all__ = ["Rides", "rail_arcs", "rides"]


@dataclass(frozen=True, eq=False)
class Rides:
    """Rides without a change, one for each class and ordered pair of stations.

    Attributes
    ----------
    kind
        Number of the class in :data:`urbangeo.network.profiles.RAIL_CLASSES`.
    board, alight
        Node rows of the two stations.
    wait_ms, run_ms
        Expected wait, and mean time in the train with its stops; whole milliseconds.
    service, offsets
        The services taken by ride ``i``, fastest first: ``service[offsets[i]:offsets[i + 1]]``,
        numbers in ``services``.
    services, names
        Ids of the services, and the names of their lines.
    """

    kind: NDArray[np.int64]
    board: NDArray[np.int64]
    alight: NDArray[np.int64]
    wait_ms: NDArray[np.int64]
    run_ms: NDArray[np.int64]
    service: NDArray[np.int64]
    offsets: NDArray[np.int64]
    services: NDArray[np.object_]
    names: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.board)

    def taken(self, ride: int) -> list[str]:
        """Ids of the services that a ride takes."""
        return [str(self.services[one]) for one in self._of(ride)]

    def title(self, ride: int) -> str:
        """Names of the lines that a ride takes, each once."""
        return "/".join(dict.fromkeys(str(self.names[one]) for one in self._of(ride)))

    def _of(self, ride: int) -> NDArray[np.int64]:
        return self.service[self.offsets[ride] : self.offsets[ride + 1]]


def rides(services: pd.DataFrame, station_node: NDArray[np.int64], profile: Profile) -> Rides:
    """Find the rides that services offer.

    Parameters
    ----------
    services
        Checked rows, ordered by service and ``seq``; a service runs both ways unless ``oneway``.
        ``boarding`` and ``alighting``, where there are such columns, say where one may.
    station_node
        Node row of each row's station.
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
    number, ids = pd.factorize(services["service"])
    firsts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]]) if len(number) else number
    headway = services["headway_min"].to_numpy(dtype=float)[firsts]
    kinds = np.array([RAIL_CLASSES.index(one) for one in services["class"].iloc[firsts]], dtype=int)
    both = ~services["oneway"].to_numpy(dtype=bool)[firsts]
    run = np.nan_to_num(services["run_min"].to_numpy(dtype=float))
    dwell = services["dwell_min"].to_numpy(dtype=float)
    boards, leaves = (_allowed(services, one) for one in ("boarding", "alighting"))
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]
    parts = []
    for one, (start, end) in enumerate(zip(firsts, [*firsts[1:], len(services)], strict=True)):
        nodes = station_node[start:end]
        rode, stood = np.cumsum(run[start:end]), np.cumsum(dwell[start:end])
        i, j = np.triu_indices(len(nodes), 1)
        time = rode[j] - rode[i] + stood[j - 1] - stood[i]
        on, off = boards[start:end], leaves[start:end]
        for tail, head in ((i, j), (j, i)) if both[one] else ((i, j),):
            may = on[tail] & off[head]
            owner = np.full(int(may.sum()), one)
            parts.append((owner, nodes[tail[may]], nodes[head[may]], time[may]))
    if parts:
        service, board, alight, time = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
    else:
        service = board = alight = np.empty(0, dtype=np.int64)
        time = np.empty(0)
    kind = kinds[service] if len(service) else service
    # a loop line comes back to where it began; a service that calls twice is one service
    order = np.lexsort((time, service, alight, board, kind))
    order = order[board[order] != alight[order]]
    order = order[_first_of(kind[order], board[order], alight[order], service[order])]
    order = order[np.lexsort((time[order], alight[order], board[order], kind[order]))]
    service, board, alight, time = service[order], board[order], alight[order], time[order]
    kind = kind[order]
    begins = np.flatnonzero(_first_of(kind, board, alight))
    group = np.cumsum(_first_of(kind, board, alight)) - 1
    rate = 1.0 / headway[service]
    rates, runs = _running(rate, begins, group), _running(rate * time, begins, group)
    rules = [profile.rail.get(one) for one in RAIL_CLASSES]
    share = np.array([np.nan if one is None else one.wait_share for one in rules])[kind]
    cap = np.array([np.nan if one is None else one.wait_cap_min for one in rules])[kind]
    wait, mean = np.minimum(share / rates, cap), runs / rates
    # of the services of a pair, fastest first, so many are taken as make the least sum
    best = np.lexsort((np.arange(len(group)), wait + mean, group))
    best = best[_first_of(group[best])] if len(group) else best
    counts = best - begins + 1
    taken = np.arange(len(group)) <= (best[group] if len(group) else group)
    return Rides(
        kind=kind[begins],
        board=board[begins],
        alight=alight[begins],
        wait_ms=np.rint(wait[best] * MS).astype(np.int64),
        run_ms=np.maximum(1, np.rint(mean[best] * MS)).astype(np.int64),
        service=service[taken],
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        services=np.asarray(ids, dtype=object),
        names=np.asarray(services["name"].iloc[firsts], dtype=object),
    )


def _allowed(services: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Whether one may get on or off at each call; at all where a table does not say."""
    if column not in services.columns:
        return np.ones(len(services), dtype=bool)
    allowed = services[column]
    return np.asarray(allowed.where(allowed.notna(), other=True), dtype=bool)


def _first_of(*columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which rows differ from the row before in one of the columns."""
    first = np.ones(len(columns[0]), dtype=bool)
    first[1:] = np.any([one[1:] != one[:-1] for one in columns], axis=0)
    return first


def _running(
    values: NDArray[np.float64], start: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Running sums that begin anew with each group."""
    total = np.cumsum(values)
    before = np.concatenate([[0.0], total])[start]
    running: NDArray[np.float64] = total - before[group] if len(group) else total
    return running


def rail_arcs(
    made: Rides,
    least_min: NDArray[np.float64],
    first: int,
    layers: tuple[str, ...],
    profile: Profile,
) -> tuple[Arcs, int]:
    """Turn rides into arcs.

    Parameters
    ----------
    made
        The rides.
    least_min
        For each network node, the least time of a change that is stated for it, minutes; NaN for
        none.
    first
        Number that the first vertex added gets.
    layers
        Modes of the street's layers of vertices, in their order: by car one is dropped and picked
        up at the station, which takes its time.
    profile
        Boarding rules by class.

    Returns
    -------
    Arcs, int
        Their item is the number of the ride, -1 for other arcs; and the number of vertices added.
    """
    n_kinds, n_nodes = len(RAIL_CLASSES), len(least_min)
    key = np.concatenate([made.board, made.alight]) * n_kinds + np.tile(made.kind, 2)
    halls, place = np.unique(key, return_inverse=True)
    node, kind = np.divmod(halls, n_kinds)
    hall = first + 2 * np.arange(len(halls))
    platform = hall + 1
    rules = [profile.rail.get(one) for one in RAIL_CLASSES]

    def minutes(field: str) -> NDArray[np.float64]:
        known = [np.nan if one is None else float(getattr(one, field)) for one in rules]
        return np.array(known)[kind]

    parts: list[Arcs] = []

    def add(
        tail: NDArray[np.int64], head: NDArray[np.int64], ms: NDArray[np.float64], what: ArcKind
    ) -> None:
        parts.append(Arcs.of(tail, head, ms, what))

    for layer, mode in enumerate(layers):
        street = node + layer * n_nodes
        drop, pick = (
            (profile.car.drop_off_min, profile.car.pick_up_min) if mode == "road" else (0, 0)
        )
        add(street, hall, (minutes("entry_min") + drop) * MS, ArcKind.ENTER)
        add(platform, street, (minutes("exit_min") + pick) * MS, ArcKind.EXIT)
    change = np.fmax(minutes("transfer_min"), least_min[node])
    add(platform, hall, change * MS, ArcKind.TRANSFER)
    # between two classes at one station one leaves and enters again, on foot
    same = np.flatnonzero(np.r_[node[1:] == node[:-1], False]) if len(node) else node
    for step in range(1, n_kinds):
        one = same[same + step < len(node)] if len(same) else same
        one = one[node[one + step] == node[one]] if len(one) else one
        for a, b in ((one, one + step), (one + step, one)):
            change = np.fmax(minutes("exit_min")[a] + minutes("entry_min")[b], least_min[node[a]])
            add(platform[a], hall[b], change * MS, ArcKind.TRANSFER)
    boarded, left = place[: len(made)], place[len(made) :]
    cost = (made.wait_ms + made.run_ms).astype(float)
    parts.append(Arcs.of(hall[boarded], platform[left], cost, ArcKind.RIDE, np.arange(len(made))))
    return Arcs.joined(parts), 2 * len(halls)
