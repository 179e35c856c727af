"""Draw every figure of the manifest into a folder: ``python scripts/make_atlas.py out``."""

from __future__ import annotations

import sys

from urbangeo.maps.atlas import atlas


def main(folder: str = "out") -> None:
    """Draw and list what was written."""
    for path in atlas(folder):
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
