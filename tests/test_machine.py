"""Compiled code, where there is a place for it and where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tangles import needs_numba


@needs_numba
@pytest.mark.parametrize("place", ["none", "no folder", "writable"])
def test_a_read_only_installation_works(tmp_path: Path, place: str) -> None:
    """Without a place for machine code it is compiled for the process, and nothing is said."""
    code = """
        import sys
        import numba.core.caching as caching
        if sys.argv[1] == "none":
            caching.CacheImpl._locator_classes = []
        from urbangeo.access.entries import Entries
        from urbangeo.access.searches import reach
        from urbangeo.network.graph import ArcKind, Arcs, build_graph
        import numpy as np
        one = np.array([0]), np.array([1]), np.array([7.0])
        graph = build_graph(2, ("road",), 2, Arcs.of(*one, ArcKind.ROAD))
        print(reach(graph, Entries.at([0]), engine="numba").ms.tolist())
    """
    (tmp_path / "file").touch()
    kept = tmp_path / ("file/kept" if place == "no folder" else "kept")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), place],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": str(kept)},
    )
    assert done.stdout == "[0, 7]\n", done.stderr
    assert kept.exists() == (place == "writable")
