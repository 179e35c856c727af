"""Keep what a text was measured as, for all figures and formats of a process.

The same names stand in every figure, and each of them is laid out for its halo, its size and its
glyphs, in each format anew; that is most of what writing a map costs. Sizes and outlines depend
on the font file, the size of type and the text only, so they are kept and nothing changes on
paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any

import numpy as np
from matplotlib.backends._backend_pdf_ps import RendererPDFPSBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

__all__ = ["remembered"]

_MOST = 5_000
"""Texts that are kept of a kind before it begins anew; an outline takes some kilobytes."""

_Method = Callable[..., Any]

_PATCHING = RLock()


@contextmanager
def remembered() -> Iterator[None]:
    """Let matplotlib measure and outline a text once in the process, while this lasts.

    Holds for texts whose font names its file and which are no formulas. To be used inside
    :func:`urbangeo.maps.style.settings`, as sizes depend on how type is set there.
    """
    with _PATCHING:
        before = [(owner, name, vars(owner)[name]) for owner, name, _ in _REPLACED]
        try:
            for owner, name, method in _REPLACED:
                setattr(owner, name, method)
            yield
        finally:
            for owner, name, method in before:
                setattr(owner, name, method)


def _kept(method: _Method, key: Callable[..., Any]) -> _Method:
    """Wrap a method so that it is called once for each key; never kept where the key is None."""
    known: dict[Any, Any] = {}

    @wraps(method)
    def asked(self: Any, *given: Any, **named: Any) -> Any:
        name = key(self, *given, **named)
        if name is None:
            return method(self, *given, **named)
        if name not in known:
            if len(known) >= _MOST:
                known.clear()
            known[name] = method(self, *given, **named)
        return known[name]

    return asked


def _size(renderer: Any, s: str, prop: FontProperties, ismath: Any) -> Any:
    path = prop.get_file()
    if path is None or ismath:
        return None
    return path, prop.get_size_in_points(), s, getattr(renderer, "dpi", None)


def _outline(
    _: TextToPath,
    prop: FontProperties,
    s: str,
    ismath: Any = False,
    *,
    features: Any = None,
    language: Any = None,
) -> Any:
    # Outlines are made in one size and scaled where they are drawn.
    path = prop.get_file()
    return None if path is None or ismath else (path, s, features, language)


def _as_arrays(method: _Method) -> _Method:
    """Wrap ``get_text_path`` so that a path can be made of its answer without copying."""

    @wraps(method)
    def asked(self: TextToPath, *given: Any, **named: Any) -> Any:
        vertices, codes = method(self, *given, **named)
        kept = np.array(vertices, dtype=float), np.array(codes, dtype=np.uint8)
        for one in kept:
            one.flags.writeable = False
        return kept

    return asked


_SIZE = "get_text_width_height_descent"
_REPLACED: tuple[tuple[type, str, _Method], ...] = (
    *(
        (owner, _SIZE, _kept(getattr(owner, _SIZE), _size))
        for owner in (RendererAgg, RendererPDFPSBase, TextToPath)
    ),
    (TextToPath, "get_text_path", _kept(_as_arrays(TextToPath.get_text_path), _outline)),
)
