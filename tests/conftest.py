"""What holds for every test: no screen, no network, the same examples every time."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

import pytest
from hypothesis import settings

# Runs under the Python that QGIS has, not under this one; no module of tests.
collect_ignore = ["qgisdrawing.py"]

# Before matplotlib is imported anywhere.
os.environ["MPLBACKEND"] = "Agg"

# Libraries in C and processes that tests start (kernels of notebooks, commands) do not see the
# fixture below; a proxy that nobody serves stops them too.
for _scheme in ("http", "https", "all"):
    os.environ[f"{_scheme}_proxy"] = os.environ[f"{_scheme}_proxy".upper()] = "http://127.0.0.1:9"
for _name in ("no_proxy", "NO_PROXY"):
    os.environ.pop(_name, None)

# Examples are the same on every machine, and a slow machine is no failure.
settings.register_profile("urbangeo", derandomize=True, database=None, deadline=None)
settings.load_profile("urbangeo")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine, and every look-up of a name."""
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def refuse(what: object) -> None:
        raise AssertionError(f"A test tried to reach {what!r}; nothing may use the network unasked")

    def local(host: object) -> bool:
        if host in (None, "", "localhost", b"localhost"):
            return True
        try:
            return ipaddress.ip_address(str(host)).is_loopback
        except ValueError:
            return False

    def checked(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not local(address[0]):
            refuse(address)

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        checked(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        checked(sock, address)
        return connect_ex(sock, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not local(host):
            refuse(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
