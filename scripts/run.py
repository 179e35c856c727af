"""The main job: the one-hour circle of 贵阳 as table, GeoPackage and page, and the atlas.

Run ``python scripts/run.py out``; ``make run`` does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from urbangeo.access import commuting_circle
from urbangeo.files import output_folder
from urbangeo.maps.atlas import atlas
from urbangeo.report import circle_table


def main(folder: str = "out") -> None:
    """Compute the circle, write it, draw all figures, and say what was found."""
    out = output_folder(Path(folder))
    circle = commuting_circle("贵阳", 60)
    written = []
    for suffix in ("csv", "xlsx", "json", "gpkg", "html"):
        written.append(out / f"circle-贵阳-60.{suffix}")
        circle.to_file(written[-1])
    written += atlas(out, pages=["A4"])
    print(circle_table(circle, all_rows=False).drop(columns="路径").to_string(index=False))
    print()
    print(circle.summary())
    print()
    for path in written:
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
