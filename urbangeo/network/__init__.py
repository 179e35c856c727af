"""The road and rail graph: tables, profiles, views, snapping."""

from urbangeo.network.network import Facts, Network
from urbangeo.network.profiles import Profile

__all__ = ["Facts", "Network", "Profile"]
