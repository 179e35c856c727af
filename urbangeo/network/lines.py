"""Many lines as two arrays, made into geometries only when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.crs import GEOD

__all__ = ["Lines"]


class Lines:
    """Lines on WGS 84; immutable.

    Parameters
    ----------
    xy
        Longitude and latitude of all vertices, degrees, shape (m, 2).
    offsets
        Line ``i`` is ``xy[offsets[i]:offsets[i + 1]]``; one more than there are lines.
    """

    def __init__(self, xy: NDArray[np.float64], offsets: NDArray[np.int64]) -> None:
        self._made: tuple[NDArray[np.float64], NDArray[np.int64]] | None = (
            np.asarray(xy, dtype=float).reshape(-1, 2),
            np.asarray(offsets, dtype=np.int64),
        )
        self._make: Callable[[], tuple[NDArray[np.float64], NDArray[np.int64]]] | None = None
        self._count = len(offsets) - 1

    @classmethod
    def later(
        cls, count: int, make: Callable[[], tuple[NDArray[np.float64], NDArray[np.int64]]]
    ) -> Lines:
        """Give lines whose coordinates are fetched by ``make`` when they are first needed."""
        lines = cls.__new__(cls)
        lines._made, lines._make, lines._count = None, make, count
        return lines

    @classmethod
    def of(cls, geometry: NDArray[np.object_]) -> Lines:
        """Take apart an array of shapely LineStrings."""
        if not len(geometry):
            return cls(np.empty((0, 2)), np.zeros(1, dtype=np.int64))
        xy, owner = shapely.get_coordinates(geometry, return_index=True)
        offsets = np.zeros(len(geometry) + 1, dtype=np.int64)
        np.cumsum(np.bincount(owner, minlength=len(geometry)), out=offsets[1:])
        return cls(xy, offsets)

    @classmethod
    def straight(cls, begin: NDArray[np.float64], end: NDArray[np.float64]) -> Lines:
        """Join two arrays of (lon, lat), shape (n, 2), by straight lines."""
        xy = np.stack([begin, end], axis=1).reshape(-1, 2)
        return cls(xy, 2 * np.arange(len(begin) + 1, dtype=np.int64))

    @classmethod
    def joined(cls, parts: Sequence[Lines]) -> Lines:
        """Put several one after another; nothing is fetched before it is needed."""

        def make() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            xy = np.concatenate([one.xy for one in parts])
            starts = np.cumsum([0, *(len(one.xy) for one in parts)])
            offsets = [one.offsets[:-1] + start for one, start in zip(parts, starts, strict=False)]
            return xy, np.concatenate([*offsets, starts[-1:]])

        return cls.later(sum(map(len, parts)), make)

    def __len__(self) -> int:
        return self._count

    def _fetched(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        if self._made is None:
            assert self._make is not None
            self._made, self._make = self._make(), None
        return self._made

    @property
    def xy(self) -> NDArray[np.float64]:
        """Longitude and latitude of all vertices, shape (m, 2)."""
        return self._fetched()[0]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each line begins among the vertices, and where the last ends."""
        return self._fetched()[1]

    @cached_property
    def geometry(self) -> NDArray[np.object_]:
        """Shapely LineStrings, EPSG:4326."""
        if not len(self):
            return np.empty(0, dtype=object)
        kind = shapely.GeometryType.LINESTRING
        made: NDArray[np.object_] = shapely.from_ragged_array(kind, self.xy, (self.offsets,))
        return made

    def take(self, rows: NDArray[np.int64]) -> Lines:
        """Give some of the lines, in the order of ``rows``."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        counts = ends - starts
        offsets = np.concatenate([[0], np.cumsum(counts)])
        index = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
        return Lines(self.xy[index], offsets)

    def length_m(self) -> NDArray[np.float64]:
        """Geodesic length of each line, metres."""
        xy, offsets = self.xy, self.offsets
        if not len(xy):
            return np.zeros(len(self))
        _, _, step = GEOD.inv(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
        owner = np.repeat(np.arange(len(self)), np.diff(offsets))
        within = owner[1:] == owner[:-1]
        length = np.bincount(
            owner[1:][within], weights=np.asarray(step)[within], minlength=len(self)
        )
        return np.asarray(length, dtype=float)
