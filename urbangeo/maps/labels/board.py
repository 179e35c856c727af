"""Which name takes which position, so that none meets another.

The search is plain and gives the same answer every time: names are placed in order of priority,
those with the fewest free positions first; then one may take the place of others that do with
another place, or count for less, as long as all together stand better than before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from urbangeo.maps.labels.shapes import boxes_meet, lines_cross, lines_meet, upright

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urbangeo.maps.labels.spots import Spots
    from urbangeo.maps.paper import FloatArray

__all__ = ["choose"]

_ROUNDS = 4
_MOST = 24
"""Positions of a name that are tried at the cost of others."""
_MISSING, _MISSING_LED = 40.0, 250.0
"""What others may give up for a name of priority 0, each further priority counting for three
quarters; and for one that may stand aside."""
_AT_ONCE = 48
"""Positions that are looked at together."""
_FAR = 1.0
"""More than any distance that is kept between names and leader lines."""


def choose(options: list[Spots], held: Sequence[int | None] = ()) -> list[int | None]:
    """Choose a position for each label.

    Parameters
    ----------
    options
        Positions by cost, cheapest first; none of them leaves the frame or covers a symbol.
    held
        An earlier choice to go on from: the row of each label, None for those without a place.

    Returns
    -------
    list
        The row of each label's position, None for those that found no room.
    """
    board = _Board(options)
    order = sorted(
        range(len(options)),
        key=lambda i: (options[i].label.priority, len(options[i]), options[i].label.key),
    )
    for item, row in enumerate(held):
        if row is not None:
            board.take(item, row)
    for item in order:
        best = None if item in board.taken else board.best(item)
        if best is not None:
            board.take(item, best)
    # A name that found nothing better looks again when another one has moved.
    moves, looked = 1, dict.fromkeys(order, 0)
    looked |= {item: 1 for item, row in enumerate(held) if row is not None}
    for item in order * _ROUNDS:
        if looked[item] < moves:
            looked[item] = moves
            moves += _better(board, item)
    return [board.taken.get(item) for item in range(len(options))]


def _better(board: _Board, item: int) -> bool:
    """Find a better place for a label, others giving way if it pays; tell whether one was found."""
    held = board.taken.get(item)
    if held == 0 or not len(board.options[item]):
        return False
    near, meets = board.meets(item, held if held is not None else len(board.options[item]))
    count = meets.sum(axis=1)
    free = np.flatnonzero(count == 0)
    stop = int(free[0]) if len(free) else len(count)
    tried = np.argsort(board.options[item].cost[:stop] + 2.0 * count[:stop], kind="stable")
    for row in tried[:_MOST].tolist():
        if board.trade(item, row, near[meets[row]].tolist()):
            return True
    if len(free):
        board.take(item, stop)
        return True
    return False


class _Board:
    """What has been placed so far: the boxes and leader lines of all labels as arrays.

    A label that has no place, or no leader, holds NaN, which meets nothing.
    """

    def __init__(self, options: list[Spots]) -> None:
        self.options = options
        self.taken: dict[int, int] = {}
        self._uprights = [upright(option.boxes) for option in options]
        self._wholes = [
            _whole(box, option.leaders) for box, option in zip(self._uprights, options, strict=True)
        ]
        count = len(options)
        self._box = np.full((count, 5), np.nan)
        self._leader = np.full((count, 4), np.nan)
        self._upright = np.full((count, 4), np.nan)
        self._whole = np.full((count, 4), np.nan)

    def take(self, item: int, row: int) -> None:
        """Put a label onto one of its positions."""
        option = self.options[item]
        self.taken[item] = row
        self._box[item] = option.boxes[row]
        self._leader[item] = option.leaders[row]
        self._upright[item] = self._uprights[item][row]
        self._whole[item] = self._wholes[item][row]

    def leave(self, item: int) -> None:
        """Take a label off."""
        for held in (self._box, self._leader, self._upright, self._whole):
            held[item] = np.nan
        self.taken.pop(item, None)

    def best(self, item: int) -> int | None:
        """Give the cheapest position of a label that meets nothing."""
        near = self._near(item)
        for start in range(0, len(self.options[item]), _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, len(self.options[item])))
            rows = rows[~self._boxes_meet(item, rows, near).any(axis=1)]
            if len(rows):
                rows = rows[~self._lines_meet(item, rows, near).any(axis=1)]
            if len(rows):
                return int(rows[0])
        return None

    def cost(self, item: int) -> float:
        """Give the cost of a label's place, or of its having none."""
        row = self.taken.get(item)
        if row is not None:
            return float(self.options[item].cost[row])
        option = self.options[item]
        if option.label.required:
            return 1e6
        own = float(option.cost[0]) if len(option) else 0.0
        if option.label.leader:
            return own + _MISSING_LED
        return own + _MISSING * 0.75 ** max(option.label.priority, 0)

    def trade(self, item: int, row: int, met: list[int]) -> bool:
        """Give a label a place from which others must go, if all together then cost less."""
        moved = [item, *met]
        cost = sum(map(self.cost, moved))
        least = sum(float(self.options[one].cost[0]) for one in met)
        if float(self.options[item].cost[row]) + least >= cost - 1e-6:
            return False
        before = {one: self.taken.get(one) for one in moved}
        for one in moved:
            self.leave(one)
        self.take(item, row)
        total = self.cost(item)
        for one in met:
            again = self.best(one)
            if again is not None:
                self.take(one, again)
            total += self.cost(one)
            if total >= cost - 1e-6:
                break
        if total < cost - 1e-6:
            return True
        for one in moved:
            self.leave(one)
        for one, held in before.items():
            if held is not None:
                self.take(one, held)
        return False

    def meets(self, item: int, stop: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Tell which of the cheapest positions of a label meet which placed labels.

        Returns
        -------
        tuple
            The labels that stand anywhere near, and whether they are met; shape (positions, these).
        """
        near, rows = self._near(item), np.arange(stop)
        return near, self._boxes_meet(item, rows, near) | self._lines_meet(item, rows, near)

    def _near(self, item: int) -> NDArray[np.intp]:
        """Give the placed labels that some position of a label could meet."""
        whole = self._wholes[item]
        if not len(whole):
            return np.empty(0, dtype=np.intp)
        low, high = whole[:, :2].min(axis=0) - _FAR, whole[:, 2:].max(axis=0) + _FAR
        close = (self._whole[:, :2] <= high) & (self._whole[:, 2:] >= low)
        close[item] = False
        return np.flatnonzero(close.all(axis=1))

    def _boxes_meet(
        self, item: int, rows: NDArray[np.intp], near: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        return boxes_meet(
            self.options[item].boxes[rows],
            self._box[near],
            our_uprights=self._uprights[item][rows],
            their_uprights=self._upright[near],
        )

    def _lines_meet(
        self, item: int, rows: NDArray[np.intp], near: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        """Tell where a leader line of one meets a name or a leader line of the other."""
        ours, leaders = self._uprights[item][rows], self.options[item].leaders[rows]
        theirs, lines = self._upright[near], self._leader[near]
        meets = np.zeros((len(rows), len(near)), dtype=bool)
        led = np.flatnonzero(~np.isnan(leaders[:, 0]))
        others = np.flatnonzero(~np.isnan(lines[:, 0]))
        if len(led):
            meets[led] |= lines_meet(leaders[led, None], theirs[None])
        if len(others):
            meets[:, others] |= lines_meet(lines[None, others], ours[:, None])
        if len(led) and len(others):
            cells = np.ix_(led, others)
            meets[cells] |= lines_cross(leaders[led, None], lines[None, others])
        return meets


def _whole(uprights: FloatArray, leaders: FloatArray) -> FloatArray:
    """Give the upright boxes that hold names with their leader lines."""
    low = np.fmin(uprights[:, :2], np.fmin(leaders[:, :2], leaders[:, 2:]))
    high = np.fmax(uprights[:, 2:], np.fmax(leaders[:, :2], leaders[:, 2:]))
    return np.hstack([low, high])
