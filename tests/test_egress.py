"""The egress guard: what leaves this machine is refused, even where nobody would have noticed."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager, suppress

import pytest

from facekit import egress
from facekit.egress import Connection, no_egress, outside_connections
from facekit.errors import EgressError, PrivacyError

OUTSIDE = "192.0.2.1"  # RFC 5737: nobody's


def udp():
    return closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


# Each is refused by the guard that stands innermost, so the suite's own does not see it.
ATTEMPTS = {
    "socket.connect": lambda one: one.connect((OUTSIDE, 9)),
    "socket.sendto": lambda one: one.sendto(b"a face", (OUTSIDE, 9)),
    "socket.sendmsg": lambda one: one.sendmsg([b"a face"], [], 0, (OUTSIDE, 9)),
    "socket.getaddrinfo": lambda _: socket.getaddrinfo("facekit.invalid", 80),
    "socket.gethostbyname": lambda _: socket.gethostbyname("facekit.invalid"),
    "socket.gethostbyaddr": lambda _: socket.gethostbyaddr(OUTSIDE),
    "socket.getnameinfo": lambda _: socket.getnameinfo((OUTSIDE, 80), 0),
    "socket.__new__": lambda _: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
}


@pytest.mark.clause("1.2.3a", partly="in the tests, no Python code of facekit reaches another machine")
@pytest.mark.parametrize("event", ATTEMPTS)
def test_every_way_out_is_refused_and_named(event):
    with udp() as one, pytest.raises(EgressError, match=f"^{event}: expected to stay"), no_egress():
        ATTEMPTS[event](one)


@pytest.mark.parametrize("event", ATTEMPTS)
def test_an_error_that_was_swallowed_comes_again_at_the_end(event):
    with (
        udp() as one,
        pytest.raises(EgressError, match=f"1 time.* first by {event}, and hid it"),
        no_egress(),
        suppress(Exception),
    ):
        ATTEMPTS[event](one)


def test_an_error_that_was_turned_into_another_is_told_with_it():
    def hide(one):
        try:
            one.connect((OUTSIDE, 9))
        except EgressError:
            raise KeyError("not there") from None

    with udp() as one, pytest.raises(EgressError, match="hid it") as caught, no_egress():
        hide(one)
    assert isinstance(caught.value.__cause__, KeyError)


def test_threads_are_guarded_also_those_that_run_already():
    def attempt():
        go.wait()
        with udp() as one, suppress(EgressError):
            one.connect((OUTSIDE, 9))

    def let_it_try():
        go.set()
        thread.join()

    go = threading.Event()
    thread = threading.Thread(target=attempt)
    thread.start()
    with pytest.raises(EgressError, match="1 time"), no_egress():
        let_it_try()


def test_this_machine_may_be_reached_under_each_of_its_names():
    with no_egress() as guard, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1"):  # noqa: S104
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as one:
                one.connect((host, port))
        with udp() as one:
            one.sendto(b"", ("127.9.9.9", 9))
        assert socket.getaddrinfo(None, port)
        one, other = socket.socketpair()
        with one, other:
            one.sendmsg([b"x"])
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as kernel, suppress(OSError):
            kernel.sendto(b"", (0, 0))  # which it may have no answer to
    assert guard.refused == []


@pytest.fixture
def alone():
    """Return a context in which the suite's own guard, which is stricter, does not stand."""

    @contextmanager
    def stand_aside():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(egress, "_guards", [])
            yield

    return stand_aside


def test_what_is_allowed_by_address_may_be_reached_and_nested_guards_only_get_stricter(alone):
    with alone(), udp() as one:
        with no_egress(allow=[OUTSIDE]), suppress(OSError):  # there may be no network at all
            one.connect((OUTSIDE, 9))
        with pytest.raises(EgressError), no_egress(allow=[OUTSIDE]), no_egress():
            one.connect((OUTSIDE, 9))
        with pytest.raises(EgressError), no_egress(), no_egress(allow=[OUTSIDE]):
            one.connect((OUTSIDE, 9))


def test_the_guard_is_gone_when_it_is_left():
    code = (
        "import socket\nfrom facekit.egress import no_egress\nwith no_egress(): pass\n"
        "try: socket.getaddrinfo('facekit.invalid', 80)\nexcept socket.gaierror: print('asked')"
    )
    # A name that RFC 6761 says no resolver passes on; without the suite's own guard.
    env = {**os.environ, "FACEKIT_EGRESS": ""}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert run.stdout == "asked\n"


def test_the_error_is_one_of_privacy_and_tells_no_address():
    with pytest.raises(PrivacyError) as caught, no_egress(), udp() as one:
        one.connect((OUTSIDE, 9))
    assert OUTSIDE not in str(caught.value)


# -- the suite ----------------------------------------------------------------------------------


def test_the_suite_stands_under_a_guard():
    with pytest.raises(EgressError) as caught, udp() as one:
        one.connect((OUTSIDE, 9))
    assert "expected to stay" in str(caught.value)
    # What was raised was also put down, and would fail this test: it is taken back.
    assert egress._guards[-1].refused.pop() == "socket.connect"


def test_python_processes_of_tests_are_guarded_and_tell_what_they_hid(egress_log):
    before = egress_log.stat().st_size
    code = f"import socket\ntry: socket.socket().connect(('{OUTSIDE}', 9))\nexcept Exception as e: print(e)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = egress_log.read_text()[before:]
    os.truncate(egress_log, before)  # answered for
    assert run.stdout == "socket.connect: expected to stay on this machine\n"
    assert told.startswith("socket.connect in process ")


# -- other processes ----------------------------------------------------------------------------

# In a network of its own, where a far address is made a near one: nothing leaves the machine.
ELSEWHERE = """
import ctypes, fcntl, os, socket, struct, sys, time
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x40000000): sys.exit(print("no", flush=True))
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
address = struct.pack("=16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton(sys.argv[1]))
fcntl.ioctl(control, 0x8916, address)  # SIOCSIFADDR
fcntl.ioctl(control, 0x8914, struct.pack("=16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up, loopback, running
server = socket.create_server((sys.argv[1], 0))
tcp = socket.create_connection(server.getsockname())
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect((sys.argv[1], 53))
print(server.getsockname()[1], flush=True)
time.sleep(600)
"""


def test_connections_of_another_process_are_seen_in_its_own_network(require):
    env = {**os.environ, "FACEKIT_EGRESS": ""}  # the kernel is asked, not Python
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, OUTSIDE], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        try:
            said = process.stdout.readline().strip()
            require("namespaces", said.isdigit(), "this system allows no network of one's own")
            found = outside_connections([os.getpid(), process.pid])
        finally:
            process.kill()
    assert Connection(process.pid, "tcp", OUTSIDE, int(said)) in found
    assert Connection(process.pid, "udp", OUTSIDE, 53) in found
    assert {one.pid for one in found} == {process.pid}


def test_connections_within_this_machine_are_none():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert outside_connections([os.getpid()]) == ()


def test_a_process_that_cannot_be_looked_at_is_an_error_not_an_empty_answer():
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    with pytest.raises(EgressError, match=f"process {ended.pid}: its sockets cannot be looked at"):
        outside_connections([ended.pid])


def test_native_code_is_not_seen_by_the_guard_but_by_the_kernel(require):
    """The guard's limit, and what is there for it."""
    native = ctypes.CDLL(None, use_errno=True)
    address = (
        socket.AF_INET.to_bytes(2, sys.byteorder) + (9).to_bytes(2) + socket.inet_aton(OUTSIDE) + bytes(8)
    )
    with no_egress() as guard, udp() as one:
        # Connecting UDP sends nothing.
        require("network", native.connect(one.fileno(), address, 16) == 0, "this machine has no network")
        assert outside_connections([os.getpid()]) == (Connection(os.getpid(), "udp", OUTSIDE, 9),)
        assert guard.refused == []
