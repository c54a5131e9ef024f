"""Sockets: listeners that the host opened, and outgoing connections to a list of places."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pywasm_ref.capabilities.access import Access, NotLent

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_PORT = 65535
SHUT = {1: socket.SHUT_RD, 2: socket.SHUT_WR, 3: socket.SHUT_RDWR}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a connection may lead: a name or a network, and ports.

    `parse` reads `example.org:443`, `10.0.0.0/8:*`, `[2001:db8::]/32:8000-8999`.
    """

    host: str
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Fails   ValueError"""
        host, colon, ports = text.rpartition(":")
        if not colon or not host:
            raise ValueError(f"{text!r} is no destination; write HOST:PORT, NETWORK/BITS:PORT or HOST:*")
        first, _, last = ("0-65535" if ports == "*" else ports).partition("-")
        low, high = port_in(first, text), port_in(last or first, text)
        if low > high:
            raise ValueError(f"{ports!r} in {text!r} is no range of ports")
        host = host.replace("[", "").replace("]", "").lower()
        if "/" in host:
            ipaddress.ip_network(host)
        return cls(host, low, high)

    def covers(self, name: str, address: Address, port: int) -> bool:
        """Whether it includes a port of a host that was asked for by name and has this address."""
        if not self.first <= port <= self.last:
            return False
        if "/" in self.host:
            return address in ipaddress.ip_network(self.host)
        return self.host in (name.lower().rstrip("."), str(address))

    def __str__(self) -> str:
        ports = "*" if (self.first, self.last) == (0, 65535) else str(self.first)
        if self.last not in (self.first, 65535):
            ports = f"{self.first}-{self.last}"
        host, slash, bits = self.host.partition("/")
        return f"[{host}]{slash}{bits}:{ports}" if ":" in host else f"{self.host}:{ports}"


def port_in(digits: str, text: str) -> int:
    """Fails   ValueError"""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= MOST_PORT):
        raise ValueError(f"{digits!r} in {text!r} is no port")
    return int(digits)


class Network:
    """The connections that may be made, by a list of destinations. A name is resolved once and the address that was checked is the one that
    is connected to; a name on the list covers whatever it resolves to."""

    def __init__(self, allow: Iterable[str | Destination] = ()) -> None:
        self.access = Access("the network")
        self.allow = tuple(entry if isinstance(entry, Destination) else Destination.parse(entry) for entry in allow)

    def connect(self, host: str, port: int, timeout: float | None = 10.0) -> Connection:
        """Fails   NotLent where no destination on the list covers it; OSError"""
        self.access.use()
        problem: OSError = NotLent(f"a connection to {host}:{port}", f"--allow-net {host}:{port}")
        self._forbid_unknown(host, port, problem)
        for family, kind, protocol, _, where in addresses(host, port):
            address = ipaddress.ip_address(str(where[0]).partition("%")[0])
            if not any(entry.covers(host, address, port) for entry in self.allow):
                continue
            end = socket.socket(family, kind, protocol)
            try:
                end.settimeout(timeout)
                end.connect(where)
            except OSError as error:
                end.close()
                problem = error
                continue
            return Connection(end, f"the connection to {host}:{port}", to=(host, address, port))
        raise problem

    def _forbid_unknown(self, host: str, port: int, problem: OSError) -> None:
        """A name that is on no list is not even looked up: the question would tell somebody."""
        ports = [entry for entry in self.allow if entry.first <= port <= entry.last]
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            return
        if not any("/" in entry.host or entry.host == host.lower().rstrip(".") for entry in ports):
            raise problem


def addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """What the name stands for.

    Fails   OSError
    """
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except ValueError:  # what Python says of a name that no host can have
        raise OSError(errno.EINVAL, f"no host can be called {host!r}") from None


class Listener:
    """A socket that waits for connections; `address` is what it is bound to. When it is taken back, so are the connections to it."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self.access = Access(f"the listener at {self.address[0]}:{self.address[1]}")
        self.name = f"{host}:{port}"

    @classmethod
    def parse(cls, text: str) -> Listener:
        """`127.0.0.1:8080`, `[::1]:8080`, `:8080` for this machine only.

        Fails   ValueError, OSError
        """
        host, colon, port = text.rpartition(":")
        if not colon:
            raise ValueError(f"{text!r} is no place to listen; write HOST:PORT")
        listener = cls(host.strip("[]") or "127.0.0.1", port_in(port, text))
        listener.name = text
        return listener

    def fileno(self) -> int:
        return self._socket.fileno()

    def accept(self) -> Connection:
        """Fails   BlockingIOError where nobody is waiting"""
        self.access.use()
        end, _ = self._socket.accept()
        return Connection(end, f"a connection at {self.address[0]}:{self.address[1]}", self.access)

    def close(self) -> None:
        self._socket.close()


class Connection:
    """A connected socket; it never blocks, the caller waits. `to` is the name, address and port that were asked for."""

    terminal = False

    def __init__(
        self, end: socket.socket, name: str, access: Access | None = None, to: tuple[str, Address, int] | None = None
    ) -> None:
        self.access = Access(name) if access is None else access
        self.name = name
        self.to = to
        self._socket = end
        end.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self, buffers: Sequence[memoryview]) -> int:
        return self.receive(buffers, peek=False)

    def receive(self, buffers: Sequence[memoryview], *, peek: bool) -> int:
        """Fails   BlockingIOError where nothing has come"""
        self.access.use()
        first = next((buffer for buffer in buffers if len(buffer)), None)
        return 0 if first is None else self._socket.recv_into(first, flags=socket.MSG_PEEK if peek else 0)

    def write(self, buffers: Sequence[memoryview]) -> int:
        """Fails   BlockingIOError where nothing can be sent"""
        self.access.use()
        return sum(self._socket.send(buffer) for buffer in buffers[:1]) if len(buffers) < 2 else self._socket.send(b"".join(buffers))

    def shutdown(self, how: int) -> None:
        """1 for no more reading, 2 for no more writing, 3 for both."""
        self.access.use()
        self._socket.shutdown(SHUT[how])

    def close(self) -> None:
        self._socket.close()

