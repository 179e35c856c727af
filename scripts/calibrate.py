"""Compare the bundled skeleton with published figures: ``python scripts/calibrate.py``.

Writes ``layers/network/CALIBRATION.md``. ``--fit`` instead prints how well other sinuosities and
speeds would do on the half of the trips that they are chosen from.
"""

from __future__ import annotations

import sys

from urbangeo.calibrationpage import Calibration, fit, page
from urbangeo.catalog import data_folder
from urbangeo.files import writing


def main(*words: str) -> None:
    """Write the page, or print the fit."""
    made = Calibration.bundled()
    if "--fit" in words:
        for line in fit(made):
            print(line)
        return
    path = data_folder() / "network" / "CALIBRATION.md"
    with writing(path) as draft:
        draft.write_text(page(made), encoding="utf-8", newline="\n")
    print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
