"""Works that try what a cell must not let them: each returns what it could do, or is stopped."""

import contextlib
import ctypes
import errno
import fcntl
import gc
import mmap
import os
import platform
import signal
import socket
import stat
import struct
import threading
from pathlib import Path

import numpy as np


def echo(photo, options, tell):
    return bytes(photo)


def describe(photo, options, tell):
    """Say what is the matter inside."""
    tell("describe")
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    return "\n".join(f"{name} {value}" for name, value in status.items()).encode()


def tries(photo, options, tell):
    """Try one way out; what stops it is the result."""
    try:
        return f"went through: {ATTEMPTS[options['way']]()}".encode()
    except OSError as error:
        return f"stopped: {errno.errorcode[error.errno]}".encode()


def _connect():
    with socket.create_connection(("127.0.0.1", 9)):
        pass


def _datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"a face", ("127.0.0.1", 9))


def _unix():
    with socket.socket(socket.AF_UNIX) as out:
        out.connect("\0facekit-nobody")


def _resolve():
    try:
        socket.getaddrinfo("example.org", 80)
    except socket.gaierror as error:
        raise OSError(errno.EHOSTUNREACH, "no answer") from error


def _call(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)


def _spawn():
    os.posix_spawn("/bin/true", ["true"], {})


def _write(place):
    return lambda: os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))


def _kept_open():
    """Write by a descriptor of memory that has no name: not even that takes a byte."""
    number = os.memfd_create("face")
    os.write(number, b"a face")


def _write_a_byte():
    """Write into a file that has been opened, where one can be."""
    place = Path("/tmp/facekit-captive-byte")  # noqa: S108
    number = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(number, b"a")
    finally:
        os.close(number)
        place.unlink()


def _raise_limit():
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))


def _own(name):
    """Have the kernel send another process signals, when something happens at a socket of one's own."""

    def own():
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    break
        if name == "fcntl":
            fcntl.fcntl(number, fcntl.F_SETOWN, os.getppid())
        else:
            fcntl.ioctl(number, 0x8901, struct.pack("i", os.getppid()))  # FIOSETOWN

    return own


def _clone_apart():
    """Start a thread in a namespace of its own; it would have no stack, and crash."""
    number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    _call("syscall", ctypes.c_long(number), ctypes.c_long(0x04000000 | 0x10F00), None, None, None, None)


def _map(flags):
    """Take memory that no limit on a process's own counts."""

    def take():
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        size, both = 2**31, mmap.PROT_READ | mmap.PROT_WRITE
        place = libc.mmap(None, ctypes.c_size_t(size), both, flags, -1, ctypes.c_long(0))
        if place == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), "mmap")
        libc.munmap(ctypes.c_void_p(place), ctypes.c_size_t(size))

    return take


ATTEMPTS = {
    "connect": _connect,
    "datagram": _datagram,
    "unix": _unix,
    "resolve": _resolve,
    "write in tmp": _write("/tmp/facekit-captive"),  # noqa: S108
    "write in shm": _write("/dev/shm/facekit-captive"),  # noqa: S108
    "write to null": _write("/dev/null"),
    "append": lambda: os.open(__file__, os.O_WRONLY | os.O_APPEND),
    "truncate": lambda: os.truncate(__file__, 0),
    "make a folder": lambda: Path("/tmp/facekit-captive").mkdir(),  # noqa: S108
    "make a link": lambda: Path("/tmp/facekit-captive").symlink_to("a face"),  # noqa: S108
    "unlink": lambda: Path(__file__).unlink(),
    "write memory file": _kept_open,
    "write a byte": _write_a_byte,
    "read passwd": lambda: Path("/etc/passwd").read_bytes(),
    "read another's memory": lambda: Path(f"/proc/{os.getppid()}/mem").read_bytes(),
    "fork": lambda: _call("fork"),
    "vfork": lambda: _call("vfork"),
    "spawn": _spawn,
    "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "trace": lambda: _call("ptrace", 16, os.getppid(), 0, 0),
    "kill": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "signal by a descriptor": _own("fcntl"),
    "signal by a request": _own("ioctl"),
    "share memory": _map(mmap.MAP_SHARED | mmap.MAP_ANON),
    "let memory grow": _map(mmap.MAP_PRIVATE | mmap.MAP_ANON | 0x100),
    "thread in a namespace": _clone_apart,
    "raise a limit": _raise_limit,
    "be dumped": lambda: _call("prctl", 4, ctypes.c_ulong(1), 0, 0, 0),
    "new namespace": lambda: _call("unshare", 0x10000000),
    "mount": lambda: _call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
}


def bomb(photo, options, tell):
    """Fork as fast as possible; then start threads as many as possible."""
    made = 0
    for _ in range(1000):
        with contextlib.suppress(OSError):
            _call("fork")
            made += 1
    waiting = threading.Event()
    threads = []
    with contextlib.suppress(RuntimeError, MemoryError):
        for _ in range(10_000):
            thread = threading.Thread(target=waiting.wait, daemon=True)
            thread.start()
            threads.append(thread)
    waiting.set()
    return f"{made} processes, {len(threads)} threads".encode()


def allocate(photo, options, tell):
    return bytes(np.ones(options["bytes"], np.uint8)[:1])


def allocate_in_c(photo, options, tell):
    """Take memory past Python's accounts, a little at a time."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    taken = 0
    while place := libc.malloc(1 << 24):
        ctypes.memset(place, 1, 1 << 24)
        taken += 1 << 24
    return str(taken).encode()


def environment(photo, options, tell):
    return "\n".join(os.environ).encode()


def loop(photo, options, tell):
    tell("loop")
    gc.enable()
    while True:
        pass


def sleep(photo, options, tell):
    tell("sleep")
    threading.Event().wait(options.get("seconds", 600))
    return bytes(photo)


def crash(photo, options, tell):
    """Read where nothing is, as a decoder that has been led astray does."""
    tell("crash")
    ctypes.string_at(0)
    return b""


def crash_in_mediapipe(photo, options, tell):
    """Show MediaPipe a picture whose width its native code does not survive."""
    from facekit import landmarks

    tell("crash")
    landmarks._detect(np.zeros((8, 33_000, 3), np.uint8), 1)
    return b""


def _say(kind, payload):
    """Write to the caller past everything, as code that has taken the cell over can."""
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            data = kind + len(payload).to_bytes(4) + payload
            while data:
                data = data[os.write(number, data) :]
            return


def lie(photo, options, tell):
    """Say something else than facekit's words for an error."""
    _say(b"E", options["words"].encode())
    os._exit(1)


def flood(photo, options, tell):
    """Give a result that does not end."""
    while True:
        _say(b"R", bytes(1 << 20))


def leave(photo, options, tell):
    os._exit(options["code"])


def hold(photo, options, tell):
    """Hold all that a job ever has in memory, and do not let go."""
    from facekit.codec import decode_image
    from facekit.landmarks import detect_faces

    image = decode_image(photo)
    faces = detect_faces(image)
    copies = [face.points.astype(np.float64) for face in faces]
    tell("held")
    threading.Event().wait(options["seconds"])
    return image.tobytes()[: len(copies)]


def fail_late(photo, options, tell):
    """Have a result, and then fail."""
    from facekit import works

    result = works.swap(photo, {"template": "stamp", "format": "webp"}, tell)
    raise ArithmeticError(len(result))


def defect(photo, options, tell):
    raise ZeroDivisionError(bytes(photo))


def chatter(photo, options, tell):
    """Say what no stage is called, and print."""
    print(bytes(photo))  # noqa: T201
    os.write(2, bytes(photo))
    tell("FACE: 123 " * 5)
    tell("warp")
    return b""


WORKS = {
    name: f"captives:{name}"
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
}
