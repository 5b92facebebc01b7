"""The service's memory over two thousand jobs; takes minutes, so runs only where it is named."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter

from benchmarks.cell import two_cores
from benchmarks.processes import children, megabytes
from benchmarks.serving import Running, service, sign_in
from benchmarks.table import Requirement, Table
from facekit import encode_image, synthetic_face
from facekit.client import Client

WARM_UP, JOBS, STEP = 200, 2000, 100
LANES = 2  # jobs at a time
SIDE = 512  # pixels of the photo
OPTIONS = {"format": "jpeg"}
GROWTH = 5  # percent, at most
SERVER, FORKS, BOTH = "server", "its fork server", "both"

Held = dict[str, float]


def tables() -> Iterator[Table]:
    """Measure."""
    photo = encode_image(synthetic_face(SIDE, seed=3), "jpeg")
    with two_cores(), service({"FACEKIT_JOBS_PER_HOUR": "100000"}) as running:
        token = sign_in(running, 0)
        with Client(running.url, token=token) as client:
            client.consents.turn_on(client.consents.all()["face.effect"])
            client.permissions.turn_on(client.permissions.all()["storage"])
        _do(running, token, photo, WARM_UP)
        start, held = perf_counter(), [_held(running)]
        for _ in range(0, JOBS, STEP):
            _do(running, token, photo, STEP)
            held.append(_held(running))
        rate = JOBS / (perf_counter() - start)
    yield _table(held, rate)


def _do(running: Running, token: str, photo: bytes, jobs: int) -> None:
    """Do jobs from end to end, as the typed client does them."""

    def some(count: int) -> None:
        with Client(running.url, token=token) as client:
            for _ in range(count):
                client.swap(photo, "card", person="me", over_14=True, options=OPTIONS)

    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(some, [jobs // LANES] * LANES))


def _held(running: Running) -> Held:
    """Return in MB what the service's processes hold that last; cells come and go."""
    (forks,) = children(running.pid)
    found = {
        SERVER: megabytes(running.pid, "smaps_rollup", "Pss"),
        FORKS: megabytes(forks, "smaps_rollup", "Pss"),
    }
    return found | {BOTH: sum(found.values())}


def _table(held: Sequence[Mapping[str, float]], rate: float) -> Table:
    done = range(0, JOBS + 1, STEP)
    shown = [0, *(range(len(held))[len(held) // 4 :: len(held) // 4])]
    rows = [
        [name, *(f"{held[at][name]:.1f}" for at in shown), f"{_growth([one[name] for one in held]):+.1f} %"]
        for name in (SERVER, FORKS, BOTH)
    ]
    note = (
        f"MB (1,000,000 bytes), proportional set size, after {WARM_UP} jobs to warm up and then as many as "
        f"the columns say: {LANES} at a time, {rate:.1f} a second, each a photo of {SIDE} x {SIDE} pixels "
        "swapped into a ready template, sealed both ways, fetched, acknowledged, its receipt verified. "
        f"Growth: from the median of the first {_SOME} readings, one every {STEP} jobs, to that of the last."
    )
    growth = _growth([one[BOTH] for one in held])
    met = [Requirement(f"service: growth over {JOBS} jobs", growth, GROWTH, at_most=True, unit=" %")]
    columns = ["process", *(f"{done[at]} jobs" for at in shown), "growth"]
    return Table("Service, memory over jobs", columns, rows, note, met)


_SOME = 5


def _growth(readings: Sequence[float]) -> float:
    """Return in percent how much more the last readings are than the first ones."""
    return 100 * (median(readings[-_SOME:]) / median(readings[:_SOME]) - 1)
