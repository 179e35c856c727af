"""Draw: a style sheet, furniture, label placement, figures and the atlas.

Nothing here is imported before it is used, so that ``import urbangeo.maps`` draws in no
matplotlib. The function that writes all figures is :func:`urbangeo.maps.atlas.atlas`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["draw", "draw_circle", "draw_extent", "figure_table", "save"]

_HOMES = {
    "draw": "urbangeo.maps.atlas",
    "draw_circle": "urbangeo.maps.figures",
    "draw_extent": "urbangeo.maps.figures",
    "figure_table": "urbangeo.maps.atlas",
    "save": "urbangeo.maps.atlas",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
