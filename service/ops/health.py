"""Whether the service can do its work, and how much it does."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import func, select

from service.contact.service import due
from service.contact.store import Question
from service.parts import Parts
from service.policy.store import Notice
from service.policy.versions import is_in_force
from service.tally import PEOPLE

Probe = Callable[[Parts], bool]


def _has_database(parts: Parts) -> bool:
    with parts.database.begin() as session:
        return session.scalar(select(1)) == 1


def _has_vault(parts: Parts) -> bool:
    return bool(parts.vault.named_key("own"))  # read from the key store, and unwrapped


def _can_begin_jobs(parts: Parts) -> bool:
    return parts.jobs.is_ready()


PROBES: Final[Mapping[str, Probe]] = MappingProxyType(
    {
        "database": _has_database,
        "vault": _has_vault,
        "policy": is_in_force,  # not where this release is not what the version in force says
        "jobs": _can_begin_jobs,
    }
)


def faults(parts: Parts) -> list[str]:
    """Return what is not ready: names of `PROBES`."""
    return [name for name, probe in PROBES.items() if not _holds(probe, parts)]


def metrics(parts: Parts) -> str:
    """Return counts in Prometheus' text format; labels are words of the code and routes' templates."""
    return "\n".join([*_requests(parts), *_ready(parts), *_work(parts), ""])


def _holds(probe: Probe, parts: Parts) -> bool:
    try:
        return probe(parts)
    except Exception as error:  # whatever it is, it is not ready
        parts.logs.defect(error)
        return False


def _requests(parts: Parts) -> Iterator[str]:
    told = parts.tally.told()
    yield "# TYPE facekit_requests_total counter"
    for method, route, status, count, _ in told:
        yield f'facekit_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
    yield "# TYPE facekit_request_milliseconds_total counter"
    for method, route, status, _, milliseconds in told:
        labels = f'method="{method}",route="{route}",status="{status}"'
        yield f"facekit_request_milliseconds_total{{{labels}}} {milliseconds}"


def _ready(parts: Parts) -> Iterator[str]:
    wrong = faults(parts)
    yield "# TYPE facekit_ready gauge"
    for name in PROBES:
        yield f'facekit_ready{{part="{name}"}} {int(name not in wrong)}'


def _work(parts: Parts) -> Iterator[str]:
    """Count what waits for somebody; and who has seen notices, where there are enough to count."""
    now = parts.clock()
    with parts.database.begin() as session:
        waiting = session.scalars(select(Question.received_at).where(Question.answered_at.is_(None))).all()
        told = select(Notice.kind, func.count(), func.count(Notice.read_at)).group_by(Notice.kind)
        notices = session.execute(told).all()
    yield "# TYPE facekit_questions gauge"
    yield f'facekit_questions{{state="open"}} {len(waiting)}'
    yield f'facekit_questions{{state="overdue"}} {sum(due(one) < now for one in waiting)}'
    yield "# TYPE facekit_notices gauge"
    for kind, count, seen in notices:
        # Clause 1.3.2(4)b: a statistic counts at least twenty people.
        if count >= PEOPLE:
            yield f'facekit_notices{{kind="{kind}",state="told"}} {count}'
            yield f'facekit_notices{{kind="{kind}",state="seen"}} {seen}'
