"""Names on maps: what is named, where it may stand, who gives way, how it is written."""

from urbangeo.maps.labels.lettering import write
from urbangeo.maps.labels.placing import LEAST_SIZE, SAME_NAME_MM, has_room, place
from urbangeo.maps.labels.records import Label, Placed, Placement

__all__ = [
    "LEAST_SIZE",
    "SAME_NAME_MM",
    "Label",
    "Placed",
    "Placement",
    "has_room",
    "place",
    "write",
]
