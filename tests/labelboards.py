"""A map on which a metre is a millimetre, and names for it."""

from __future__ import annotations

import shapely
from matplotlib.axes import Axes

from urbangeo.maps.labels import Label
from urbangeo.maps.sheet import DPI


def board() -> Axes:
    """A map of 100 × 100 mm on which a metre is a millimetre, 10 mm from the page's corner."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(120 / 25.4, 120 / 25.4), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((10 / 120, 10 / 120, 100 / 120, 100 / 120))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    return axes


def point(key: str, x: float, y: float, **options: object) -> Label:
    return Label(**{"key": key, "texts": (key,), "x": x, "y": y, "size": 7.0, **options})  # type: ignore[arg-type]


def named(key: str, area: shapely.Geometry, *texts: str, **options: object) -> Label:
    middle = area.centroid
    return point(key, middle.x, middle.y, area=area, texts=texts or (key,), **options)
