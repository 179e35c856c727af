"""A synthetic network that is built like roads: a bent grid with gaps, and a few fast roads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from urbangeo.network import Facts, Network

__all__ = ["road_like"]


def road_like(nodes: int = 200_000, seed: int = 7) -> Network:
    """Make a network of about ``nodes`` nodes and 2.5 directed edges for each.

    Streets of a 250 m grid whose corners are shifted at random; 37 % of the street pieces are
    missing; every 40th row and column is a main road. Corners without a street are left out.

    Parameters
    ----------
    nodes
        How many corners there are before those without a street are left out.
    seed
        Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    side = round(nodes**0.5)
    row, column = np.divmod(np.arange(side * side), side)
    step = 250.0
    x = (column + rng.uniform(-0.3, 0.3, side * side)) * step
    y = (row + rng.uniform(-0.3, 0.3, side * side)) * step
    corner = np.arange(side * side)
    across = corner[column < side - 1]
    along = corner[row < side - 1]
    tail = np.concatenate([across, along])
    head = np.concatenate([across + 1, along + side])
    main = np.concatenate([row[across] % 40 == 0, column[along] % 40 == 0])
    kept = main | (rng.random(len(tail)) > 0.37)
    tail, head, main = tail[kept], head[kept], main[kept]
    used, ends = np.unique(np.concatenate([tail, head]), return_inverse=True)
    length = np.hypot(x[tail] - x[head], y[tail] - y[head]) * rng.uniform(1.0, 1.3, len(tail))
    names = np.char.add("n", used.astype(str))
    tables = pd.DataFrame(
        {"id": names, "kind": "junction", "lon": 106 + x[used] / 99e3, "lat": 26 + y[used] / 111e3}
    )
    links = pd.DataFrame(
        {
            "id": np.char.add("l", np.arange(len(tail)).astype(str)),
            "from": names[ends[: len(tail)]],
            "to": names[ends[len(tail) :]],
            "mode": "road",
            "class": np.where(main, "national", "county"),
            "length_m": length,
        }
    )
    return Network.from_tables(tables, links, facts=Facts(title="合成路网"))
