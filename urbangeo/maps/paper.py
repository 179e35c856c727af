"""Places of a map in millimetres of the page that it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MM_PER_INCH", "FloatArray", "page_box", "to_page"]

MM_PER_INCH = 25.4

FloatArray = NDArray[np.float64]


def to_page(axes: Axes, xy: Any) -> FloatArray:
    """Turn map coordinates into millimetres from the page's lower left corner; shape (n, 2)."""
    pixels: FloatArray = axes.transData.transform(np.asarray(xy, float).reshape(-1, 2))
    return pixels * MM_PER_INCH / axes.get_figure(root=True).dpi  # type: ignore[union-attr]


def page_box(axes: Axes) -> tuple[float, float, float, float]:
    """Give the frame of a map in millimetres of the page: left, bottom, right, top."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    extent = np.asarray(axes.get_window_extent().extents, float) * MM_PER_INCH / figure.dpi
    left, bottom, right, top = extent.tolist()
    return left, bottom, right, top
