"""The egress guard: whatever tries to reach another machine fails, and is not forgotten.

Inside `no_egress` Python's audit events [1]_ tell of every connection, datagram and look-up of a name
before it happens. One that leaves this machine raises `EgressError`; if somebody swallows that, leaving
the guard raises it again. All threads are watched.

Not seen: sockets that were connected before, and what native code does past Python. For these, and
for other processes, `outside_connections` asks the kernel.

References
----------
.. [1] Dower, "Python Runtime Audit Hooks", PEP 578, 2019.
"""

import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from facekit.errors import EgressError

__all__ = ["Connection", "Guard", "no_egress", "outside_connections"]

LOOPBACK: Final = ("127.0.0.1", "::1")

_SENDING: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_ASKING: Final = frozenset(
    f"socket.{name}" for name in ("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyaddr")
)
#: Families that stay within this machine's kernel.
_WITHIN: Final = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_PROTOCOLS: Final = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")


@dataclass(slots=True, eq=False)
class Guard:
    """A guard that stands.

    Parameters
    ----------
    allow : frozenset of str
        Addresses that may be reached, and names that may be looked up.
    refused : list of str
        What was tried: the event, without the address.
    """

    allow: frozenset[str]
    refused: list[str] = field(default_factory=list)

    def allows(self, host: str) -> bool:
        """Say whether a host may be reached.

        Parameters
        ----------
        host : str
            An address or a name.

        Returns
        -------
        bool
            True for this machine's own loopback and what `allow` names.
        """
        if host in self.allow or host in ("", "localhost"):
            return True
        return (address := _address(host)) is not None and (str(address) in self.allow or _is_own(address))


_guards: list[Guard] = []  # the innermost last
_lock = threading.Lock()
_hooked = False


@contextmanager
def no_egress(*, allow: Iterable[str] = LOOPBACK) -> Iterator[Guard]:
    """Refuse to reach any other machine, in all threads of this process.

    Parameters
    ----------
    allow : iterable of str
        Addresses that may be reached, and names that may be looked up. All of the loopback network
        always may be reached, and so may sockets that have no address on a network.

    Returns
    -------
    context manager of Guard
        What it refused stands in ``refused``.

    Raises
    ------
    EgressError
        Where something tries, and again at the end if somebody swallowed that.

    See Also
    --------
    outside_connections : What native code and other processes do.

    Notes
    -----
    Guards nest; one that stands inside another can only be stricter. A name that may not be reached is
    not looked up either, since a look-up is a message to another machine.

    Examples
    --------
    >>> with no_egress(), socket.socket() as one:
    ...     one.connect(("192.0.2.1", 80))
    Traceback (most recent call last):
    facekit.errors.EgressError: socket.connect: expected to stay on this machine
    """
    guard = Guard(frozenset(allow))
    _install()
    with _lock:
        _guards.append(guard)
    failed: BaseException | None = None
    try:
        yield guard
    except EgressError:
        guard.refused.clear()  # on its way already
        raise
    except BaseException as error:
        failed = error
        raise
    finally:
        with _lock:
            _guards.remove(guard)
        if guard.refused:
            number, first = len(guard.refused), guard.refused[0]
            raise EgressError(
                f"{number} time(s) something tried to leave this machine, first by {first}, and hid it"
            ) from failed


def _install() -> None:
    """Add the hook, once: it can't be taken away again."""
    global _hooked
    with _lock:
        if not _hooked:
            sys.addaudithook(_watch)
            _hooked = True


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not _guards or not event.startswith("socket."):
        return
    for guard in reversed(tuple(_guards)):
        if not _stays(guard, event, arguments):
            guard.refused.append(event)
            raise EgressError(f"{event}: expected to stay on this machine")


def _stays(guard: Guard, event: str, arguments: tuple[object, ...]) -> bool:
    """Say whether an event stays on this machine."""
    if event == "socket.__new__":
        family = arguments[1]
        return family == -1 or family in _WITHIN or family in _INTERNET
    if event in _ASKING:
        return _asks_nobody(guard, event, arguments[0])
    if event in _SENDING:
        one, address = arguments[:2]
        if getattr(one, "family", None) in _WITHIN or address is None:
            return True
        return isinstance(address, tuple) and guard.allows(str(address[0]))
    return True


def _asks_nobody(guard: Guard, event: str, asked: object) -> bool:
    """Say whether a look-up is answered without a message to a name server."""
    if event == "socket.getnameinfo":
        asked = asked[0] if isinstance(asked, tuple) else asked
    host = asked.decode("ascii", "replace") if isinstance(asked, bytes) else asked
    if host is None:
        return True
    from_name = event in ("socket.getaddrinfo", "socket.gethostbyname")
    return guard.allows(str(host)) or (from_name and _address(str(host)) is not None)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address means this machine; the unspecified one does, when it is connected to."""
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


# -- other processes --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """A socket whose other end is on another machine.

    Parameters
    ----------
    pid : int
        The process that holds it.
    protocol : str
        ``"tcp"``, ``"udp6"``, and so on.
    peer : str
        The other end's address.
    port : int
        And its port.
    """

    pid: int
    protocol: str
    peer: str
    port: int


def outside_connections(pids: Iterable[int]) -> tuple[Connection, ...]:
    """List the connections of processes to other machines, as the kernel sees them now.

    Parameters
    ----------
    pids : iterable of int
        The processes. Those they have started are not looked for.

    Returns
    -------
    tuple of Connection
        Of TCP, and of UDP and raw sockets that have been connected.

    Raises
    ------
    EgressError
        A process is not there, or its sockets may not be looked at: nothing can be said of it.

    Notes
    -----
    This is one moment. What was closed before, and datagrams of a socket that is not connected, leave
    no trace here. Linux only.

    Examples
    --------
    >>> outside_connections([os.getpid()])
    ()
    """
    found: list[Connection] = []
    for pid in pids:
        try:
            sockets = _sockets(Path(f"/proc/{pid}/fd"))
            found += (one for protocol in _PROTOCOLS for one in _connected(pid, protocol, sockets))
        except OSError as error:
            raise EgressError(f"process {pid}: its sockets cannot be looked at ({error.strerror})") from None
    return tuple(sorted(found))


def _sockets(folder: Path) -> set[str]:
    """Return the inodes of a process's sockets."""
    inodes = set()
    for link in folder.iterdir():
        try:
            target = os.readlink(link)  # noqa: PTH115 (no path)
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return inodes


def _connected(pid: int, protocol: str, inodes: set[str]) -> Iterator[Connection]:
    """Read the table of a protocol, in the network namespace of the process."""
    table = Path(f"/proc/{pid}/net/{protocol}")
    if not table.exists():  # a kernel without it
        return
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[2].partition(":")
        peer = _parsed(address)
        if fields[9] in inodes and not _is_own(peer):
            yield Connection(pid, protocol, str(peer), int(port, 16))


def _parsed(text: str) -> IPv4Address | IPv6Address:
    """Read an address as the kernel prints it: words of 32 bits in the machine's own order."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return ip_address(b"".join(words))
