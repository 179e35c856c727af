"""Times at points off the network, point by point, for numba; see :mod:`urbangeo.access.spread`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.machine import compiled
from urbangeo.network.snap import DETOUR_M, MOST_LINKS, TOUCH_M

__all__ = ["FieldKernel"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


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
    """Do what ``Field._plain`` does, point by point."""
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


def _try_out(kernels: Sequence[Callable[..., Any]]) -> None:
    """Ask for no point at all, so that everything is compiled or loaded."""
    empty, none = np.empty((0, 2)), np.empty(0, dtype=bool)
    rows, frame = np.zeros(2, dtype=np.int64), np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    four, flat = np.empty((0, 4)), np.empty(0)
    kernels[0](
        *(empty, flat, flat, np.ones(5), frame, rows, four, rows[:0], empty, four),
        *(none, none, none, empty, rows[:1], frame, rows, four, flat, flat),
    )


class FieldKernel:
    """The loop above, compiled when first needed."""

    _lock = threading.Lock()
    _made: Callable[..., None] | None = None

    @classmethod
    def get(cls) -> Callable[..., None]:
        """Give it, always the same."""
        with cls._lock:
            if cls._made is None:
                (cls._made,) = compiled([_spread], _try_out)
        return cls._made
