"""Draw the gallery anew: ``python scripts/make_gallery.py [folder]``.

The pictures are what tests/test_every_figure.py compares with: look at each before it is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from urbangeo.maps.gallery import write_gallery


def main(folder: str | Path = Path(__file__).parents[1] / "docs" / "gallery") -> None:
    """Write page and pictures, and list them."""
    for path in write_gallery(folder):
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
