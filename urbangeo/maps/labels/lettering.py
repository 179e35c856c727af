"""Write names that have their places onto a map: halo, leader line, frame of a road number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patheffects import Stroke

from urbangeo.maps.labels.spots import BADGE_PAD
from urbangeo.maps.paper import MM_PER_INCH, FloatArray
from urbangeo.maps.style import COLOURS, LINES, font, points
from urbangeo.maps.textsize import LINE_SPACING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from urbangeo.maps.labels.records import Placed, Placement

__all__ = ["write"]

_HALO_OPACITY = 0.82
"""A line beneath a name shows faintly through its halo, so that both can be followed."""


def write(axes: Axes, placement: Placement, *, halo: float = 0.4, zorder: float = 60) -> list[Text]:
    """Write placed labels onto the map.

    A halo is a text of its own beneath the name: matplotlib turns a text with a path effect into
    outlines, and the name itself must remain text in SVG and PDF.

    Parameters
    ----------
    halo
        Width of the halo on each side of a stroke, millimetres.

    Returns
    -------
    list of Text
        The names, in the order of the placement, each with the gid ``label:<key>``.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    per_mm = figure.dpi / MM_PER_INCH
    back = axes.transData.inverted()
    written = []
    for spot in placement.placed:
        label = spot.label
        x, y = back.transform((spot.x * per_mm, spot.y * per_mm))
        shared: dict[str, Any] = {
            "fontproperties": font(label.size, label.weight),
            "ha": "center",
            "va": "center",
            "multialignment": "center",
            "linespacing": LINE_SPACING,
            "rotation": spot.angle,
            "clip_on": False,
        }
        if spot.leader is not None:
            _leader(axes, spot, back.transform(np.array(spot.leader) * per_mm), zorder)
        if label.badge:
            shared["bbox"] = {
                "boxstyle": f"round,pad={points(BADGE_PAD) / label.size:.4f},rounding_size=0.25",
                "facecolor": COLOURS["paper"],
                "edgecolor": label.badge,
                "linewidth": points(0.15),
            }
        elif halo:
            effect = [
                Stroke(
                    linewidth=2 * points(halo),
                    foreground=label.halo,
                    joinstyle="round",
                    alpha=_HALO_OPACITY,
                )
            ]
            axes.text(
                x,
                y,
                spot.text,
                path_effects=effect,
                zorder=zorder - 1,
                color=label.halo,
                gid=f"halo:{label.key}",
                **shared,
            )
        written.append(
            axes.text(
                x,
                y,
                spot.text,
                color=label.colour,
                zorder=zorder,
                gid=f"label:{label.key}",
                **shared,
            )
        )
    return written


def _leader(axes: Axes, spot: Placed, ends: FloatArray, zorder: float) -> None:
    """Draw a leader line, light beneath so that it shows on a dark ground."""
    line = LINES["leader"]
    for part, colour, width in (
        ("leader_halo", spot.label.halo, line.width + 0.4),
        ("leader", line.colour, line.width),
    ):
        axes.plot(
            *ends.T,
            color=colour,
            alpha=_HALO_OPACITY if part == "leader_halo" else None,
            linewidth=points(width),
            solid_capstyle="round",
            zorder=zorder - (2.5 if part == "leader_halo" else 2),
            gid=f"{part}:{spot.label.key}",
        )
