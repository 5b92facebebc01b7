"""The service without jobs, at a steady 100 requests a second, beside an application that does nothing."""

import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import quantiles

import httpx

from benchmarks.cell import two_cores
from benchmarks.load import Answered, Ask, json_body, load
from benchmarks.processes import Others
from benchmarks.serving import Running, bare, service, sign_in
from benchmarks.table import Requirement, Table

RATE = 100  # requests a second
PEOPLE = 20
ROUNDS, SECONDS = 6, 10
FLOOR, AIM = 50, 25  # ms, of which 95 in 100 requests take at most

PURPOSE = "/v1/consents/face.effect"
#: How many of a hundred requests are what.
MIX: Mapping[tuple[str, str], int] = {
    ("GET", "/v1/me"): 35,
    ("GET", "/v1/consents"): 30,
    ("GET", "/v1/policy"): 15,
    ("PUT", PURPOSE): 10,
    ("DELETE", PURPOSE): 10,
}
ALL = "all"

Times = dict[str, list[float]]


def tables() -> Iterator[Table]:
    """Measure."""
    url = os.environ.get("FACEKIT_BENCH_DATABASE_URL", "")
    with two_cores(), service({"FACEKIT_DATABASE_URL": url} if url else {}) as ours, bare() as theirs:
        tokens = [sign_in(ours, number) for number in range(PEOPLE)]
        others = Others()
        asks = [_asks(ours, tokens, seed) for seed in range(ROUNDS)]
        load(ours.url, asks[0], RATE, seed=99)  # warms both up
        load(theirs.url, asks[0], RATE, seed=99)
        mine, bares, used = _in_turn(ours, theirs, asks)
        yield _table(mine, bares, used, "PostgreSQL" if url else "SQLite", others.note())


def _asks(server: Running, tokens: Sequence[str], seed: int) -> list[Ask]:
    """Draw what is asked for in a round."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    shown = httpx.get(
        f"{server.url}/v1/consents", headers={"Authorization": f"Bearer {tokens[0]}"}, trust_env=False
    ).json()
    digest = next(one["digest"] for one in shown["items"] if one["name"] == "face.effect")
    kinds = draw.choices(list(MIX), list(MIX.values()), k=RATE * SECONDS)
    return [
        Ask(
            f"{method} {path}",
            method,
            path,
            draw.choice(tokens),
            json_body(digest=digest) if method == "PUT" else b"",
        )
        for method, path in kinds
    ]


def _in_turn(
    ours: Running, theirs: Running, asks: Sequence[Sequence[Ask]]
) -> tuple[Times, Times, tuple[float, float]]:
    """Load both by turns, so that a drift slows both alike; return times, and processor time of a request."""
    mine: Times = defaultdict(list)
    bares: Times = defaultdict(list)
    before = _cpu(ours.pid), _cpu(theirs.pid)
    for number, some in enumerate(asks):
        turn = [(ours, mine), (theirs, bares)]
        for server, times in turn[:: -1 if number % 2 else 1]:
            _keep(times, load(server.url, some, RATE, seed=number))
    used = (_cpu(ours.pid) - before[0]) / len(mine[ALL]), (_cpu(theirs.pid) - before[1]) / len(bares[ALL])
    return mine, bares, used


def _keep(times: Times, answers: Sequence[Answered]) -> None:
    assert all(one.status == 200 for one in answers), "not every request was answered"
    for one in answers:
        times[one.kind].append(one.seconds)
        times[ALL].append(one.seconds)


def _cpu(pid: int) -> float:
    """Return the processor seconds of a process with all its threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(mine: Times, bares: Times, used: tuple[float, float], database: str, meanwhile: str) -> Table:
    names = [ALL, *(f"{method} {path}" for method, path in MIX)]
    rows = [
        [name, str(len(mine[name])), *_percentiles(mine[name]), *_percentiles(bares[name])] for name in names
    ]
    note = (
        f"Milliseconds from the moment at which a request was due, {RATE} a second at random moments, "
        f"{ROUNDS} rounds of {SECONDS} s by turns; {PEOPLE} people, {database}; asked from the same two "
        f"cores. The bare application answers a constant. A request takes {1e3 * used[0]:.1f} ms of the "
        f"service's processor time, and {1e3 * used[1]:.1f} ms of the bare application's. {meanwhile}"
    )
    tail = _at(mine[ALL], 95)
    met = [Requirement("service: ms that 95 of 100 requests take", 1e3 * tail, FLOOR, AIM, at_most=True)]
    columns = ["request", "of them", "p50", "p95", "p99", "worst", "bare: p50", "p95", "p99", "worst"]
    data = {"service": mine[ALL], "bare": bares[ALL]}
    return Table(
        "Service, 100 requests a second",
        columns,
        rows,
        note,
        met,
        {name: [round(_at(some, at), 6) for at in (50, 95, 99)] for name, some in data.items()},
    )


def _percentiles(seconds: Sequence[float]) -> list[str]:
    return [*(f"{1e3 * _at(seconds, at):.1f}" for at in (50, 95, 99)), f"{1e3 * max(seconds):.1f}"]


def _at(seconds: Sequence[float], percent: int) -> float:
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]
