"""From drawn ways to links between junctions: arrays only, no object for a node or a way.

Ways are split where they meet or end, and chains of pieces that nothing else touches and that have
the same attributes are joined again, so that a link leads from junction to junction. Every vertex
stays in the line, so lengths are those of the ways as they were drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from urbangeo.crs import GEOD

__all__ = ["Chains", "chains", "line_lengths_m", "segment_lengths_m", "take_lines"]

_A, _E2 = 6378137.0, 0.0066943799901413165  # WGS 84: semi-major axis, first eccentricity squared
_SHORT_DEG = 0.02  # up to here the mid-latitude formula is good to 1e-7
_AT_ONCE = 1_000_000  # segments measured at a time, so that temporaries stay small

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chains:
    """Links as runs of vertices.

    Attributes
    ----------
    vertex, offsets
        Line ``i`` runs over the nodes ``vertex[offsets[i]:offsets[i + 1]]``, from tail to head.
    line
        The input line from which each link, or its first part, comes.
    part
        Counts the links that come from one input line, from 0.
    waypoint
        Nodes at which a ring was cut in two, because a link may not lead back to its own tail.
    repeated
        How many vertices were dropped because they repeated the one before.
    empty
        How many input lines had fewer than two different vertices.
    """

    vertex: Ints
    offsets: Ints
    line: Ints
    part: Ints
    waypoint: Ints
    repeated: int
    empty: int

    @property
    def tail(self) -> Ints:
        """First node of each link."""
        return self.vertex[self.offsets[:-1]]

    @property
    def head(self) -> Ints:
        """Last node of each link."""
        return self.vertex[self.offsets[1:] - 1]


def chains(
    vertex: Ints,
    offsets: Ints,
    group: Ints,
    directed: NDArray[np.bool_],
    keep: NDArray[np.bool_],
) -> Chains:
    """Split lines at junctions and join what leads on without one.

    Parameters
    ----------
    vertex
        Node numbers along all lines, one line after the other; shape (m,).
    offsets
        Where each line begins, and the end; shape (lines + 1,).
    group
        Number of each line's attributes: only lines of the same number are joined.
    directed
        Whether a line may only be followed from its first to its last vertex.
    keep
        For each node, whether links must end there (stations).

    Returns
    -------
    Chains
        In the order of the lines. A two-way chain leads in the sense of its first piece.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    vertex, offsets, owner, repeated, empty = _without_repeats(np.asarray(vertex), offsets)
    if not len(vertex):
        none = np.empty(0, dtype=np.int64)
        return Chains(none, np.zeros(1, dtype=np.int64), none, none, none, repeated, empty)
    group, directed = group[owner], directed[owner]
    start, stop, line = _pieces(vertex, offsets, keep)
    group, directed = group[line], directed[line]
    partner = _partners(vertex[start], vertex[stop], group, directed, keep)
    chain, dart = _ordered(partner)
    piece = dart >> 1
    first = np.ones(len(dart), dtype=bool)
    first[1:] = chain[1:] != chain[:-1]
    # Each piece after the first leaves out the vertex that it shares with the one before.
    size = stop[piece] - start[piece] + first
    place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    place += np.repeat(1 - first, size)
    back = np.repeat((dart & 1).astype(bool), size)
    at = np.where(back, np.repeat(stop[piece], size) - place, np.repeat(start[piece], size) + place)
    begin = np.concatenate([[0], np.cumsum(size)])[np.append(np.flatnonzero(first), len(dart))]
    return _without_rings(
        vertex[at], begin.astype(np.int64), owner[line[piece[first]]], repeated, empty
    )


def _without_repeats(vertex: Ints, offsets: Ints) -> tuple[Ints, Ints, Ints, int, int]:
    """Drop vertices that repeat the one before, and lines of which too little is left."""
    line = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    fresh = np.ones(len(vertex), dtype=bool)
    fresh[1:] = (vertex[1:] != vertex[:-1]) | (line[1:] != line[:-1])
    size = np.bincount(line[fresh], minlength=len(offsets) - 1)
    good = size >= 2
    kept = fresh & good[line]
    owner = np.flatnonzero(good)
    bounds = np.concatenate([[0], np.cumsum(size[good])]).astype(np.int64)
    return vertex[kept], bounds, owner, int((~fresh).sum()), int((~good).sum())


def _pieces(vertex: Ints, offsets: Ints, keep: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Places in ``vertex`` where each piece begins and ends, and the line it belongs to."""
    cut = np.bincount(vertex, minlength=len(keep)) >= 2
    cut |= keep
    here = cut[vertex]
    here[offsets[:-1]] = True
    here[offsets[1:] - 1] = True
    places = np.flatnonzero(here)
    line = np.searchsorted(offsets, places, side="right") - 1
    same = line[1:] == line[:-1]
    return places[:-1][same], places[1:][same], line[:-1][same]


def _partners(
    tail: Ints, head: Ints, group: Ints, directed: NDArray[np.bool_], keep: NDArray[np.bool_]
) -> Ints:
    """For each end of a piece (2p its tail, 2p + 1 its head) the end that follows, or -1."""
    node = np.empty(2 * len(tail), dtype=np.int64)
    node[0::2], node[1::2] = tail, head
    degree = np.bincount(node, minlength=len(keep))
    passing = np.flatnonzero(((degree == 2) & ~keep)[node])
    passing = passing[np.argsort(node[passing], kind="stable")]
    one, other = passing[0::2], passing[1::2]
    p, q = one >> 1, other >> 1
    joined = (p != q) & (group[p] == group[q]) & (directed[p] == directed[q])
    joined &= ~directed[p] | ((one & 1) != (other & 1))
    partner = np.full(len(node), -1, dtype=np.int64)
    partner[one[joined]] = other[joined]
    partner[other[joined]] = one[joined]
    return partner


def _ordered(partner: Ints) -> tuple[Ints, Ints]:
    """Follow the chains: for each of their pieces, in order, the chain and the dart.

    Dart 2p follows piece p forwards, 2p + 1 backwards. A dart is entered through the end of its
    own number and left through the other one.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(partner) // 2
    ends = np.flatnonzero(partner >= 0)
    links = coo_matrix(
        (np.ones(len(ends), dtype=np.int8), (ends >> 1, partner[ends] >> 1)), shape=(n, n)
    )
    count, chain = connected_components(links, directed=False)
    # A ring without a junction is opened at the tail of its first piece.
    closed = np.ones(count, dtype=bool)
    closed[chain[np.flatnonzero(partner < 0) >> 1]] = False
    if closed.any():
        _, lowest = np.unique(chain, return_index=True)
        gap = 2 * lowest[closed]
        partner[partner[gap]] = -1
        partner[gap] = -1
    before = np.where(partner >= 0, partner ^ 1, np.arange(2 * n))
    rank = (partner >= 0).astype(np.int64)
    while True:  # pointer doubling: as many rounds as the longest chain has binary digits
        if (before[before] == before).all():
            break
        rank += rank[before]
        before = before[before]
    start = np.flatnonzero(partner < 0)
    # Of the two senses the one that begins forwards, and if both do, with the earlier piece.
    order = np.lexsort((start, start & 1, chain[start >> 1]))
    start = start[order]
    fresh = np.ones(len(start), dtype=bool)
    fresh[1:] = chain[start[1:] >> 1] != chain[start[:-1] >> 1]
    chosen = np.sort(start[fresh])
    number = np.full(2 * n, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    of = number[before]
    darts = np.flatnonzero(of >= 0)
    darts = darts[np.lexsort((rank[darts], of[darts]))]
    return of[darts], darts


def _without_rings(vertex: Ints, offsets: Ints, line: Ints, repeated: int, empty: int) -> Chains:
    """Cut each link that leads back to its tail at the vertex halfway."""
    ring = vertex[offsets[:-1]] == vertex[offsets[1:] - 1]
    halfway = ((offsets[:-1] + offsets[1:] - 1) // 2)[ring]
    # The vertex where it is cut stands twice: at the end of one half and the start of the other.
    at = np.sort(np.concatenate([np.arange(len(vertex)), halfway]))
    shift = np.searchsorted(halfway, offsets)
    begin = np.sort(np.concatenate([offsets + shift, halfway + np.arange(len(halfway)) + 1]))
    line = np.repeat(line, 1 + ring)
    order = np.argsort(line, kind="stable")
    ranked = np.arange(len(line)) - np.searchsorted(line[order], line[order])
    part = np.empty(len(line), dtype=np.int64)
    part[order] = ranked
    return Chains(vertex[at], begin, line, part, vertex[halfway], repeated, empty)


def segment_lengths_m(lon0: Floats, lat0: Floats, lon1: Floats, lat1: Floats) -> Floats:
    """Geodesic lengths of many segments on WGS 84, metres.

    Segments of up to 0.02° are measured by Gauss's mid-latitude formula with the radii of
    curvature there, which differs from the exact geodesic by less than 1 part in 10 million
    (below 85° of latitude); longer ones by the exact geodesic, which takes five times as long.
    """
    lengths = np.empty(len(lon0))
    for first in range(0, len(lon0), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        lengths[part] = _lengths(lon0[part], lat0[part], lon1[part], lat1[part])
    return lengths


def _lengths(lon0: Floats, lat0: Floats, lon1: Floats, lat1: Floats) -> Floats:
    dlon, dlat = lon1 - lon0, lat1 - lat0
    middle = np.radians((lat0 + lat1) / 2)
    w2 = 1.0 - _E2 * np.sin(middle) ** 2
    across = np.radians(dlon) * np.cos(middle) * (_A / np.sqrt(w2))
    along = np.radians(dlat) * (_A * (1.0 - _E2)) / (w2 * np.sqrt(w2))
    lengths: Floats = np.hypot(across, along)
    far = (np.maximum(np.abs(dlon), np.abs(dlat)) > _SHORT_DEG) | (np.abs(lat0) > 85.0)
    if far.any():
        lengths[far] = GEOD.inv(lon0[far], lat0[far], lon1[far], lat1[far])[2]
    return lengths


def line_lengths_m(xy: Floats, offsets: Ints) -> Floats:
    """Geodesic lengths of lines, metres: line i is ``xy[offsets[i]:offsets[i + 1]]``."""
    if len(xy) < 2:
        return np.zeros(len(offsets) - 1)
    metres = np.zeros(len(xy))
    metres[1:] = segment_lengths_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    metres[offsets[:-1]] = 0.0  # from the end of one line to the start of the next
    total: Floats = np.add.reduceat(metres, offsets[:-1])
    return total


def take_lines(
    values: NDArray[np.int64], offsets: Ints, rows: Ints, backwards: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Ints]:
    """Take lines by row, some of them turned round; gives their values and offsets."""
    size = np.diff(offsets)[rows]
    bounds = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    place = np.arange(bounds[-1]) - np.repeat(bounds[:-1], size)
    back = np.repeat(backwards, size)
    at = np.where(
        back,
        np.repeat(offsets[rows + 1] - 1, size) - place,
        np.repeat(offsets[rows], size) + place,
    )
    return values[at], bounds
