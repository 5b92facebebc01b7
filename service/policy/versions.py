"""Versions of the policy: a chain of which no link can be changed without its being found at start.

What the code does and what the policy says are held together: a service does not start unless its
registers and its packaged text are those of the version in force, or of one that is published already.
A change that matters is told to every account a good while before it counts (clause 8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, exists, select, text
from sqlalchemy.orm import Session, defer

from facekit.policy import policy_text
from service.accounts.store import Account
from service.errors import AbsentError, ConflictError, RefusedError, SetupError
from service.logs import Deed
from service.ops.audit import Grounds, write
from service.parts import Parts
from service.policy.notices import tell
from service.policy.stated import FLAGS, REASONS, Stated, differences, digest_of, stated, text_digest
from service.policy.store import Acceptance, PolicyVersion

_SHORT: Final = 16  # hexadecimal digits of a version
_FAR: Final = timedelta(days=730)
#: The name of the version in force at the moment `now`.
IN_FORCE: Final = (
    select(PolicyVersion.version)
    .where(PolicyVersion.effective_at <= bindparam("now"))
    .order_by(PolicyVersion.number.desc())
    .limit(1)
)
_STATED: Final[dict[str, dict[str, Any]]] = {}  # by name, which is a digest of it


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be published.

    Parameters
    ----------
    effective_at : datetime, optional
        When it comes into force; by default at once.
    text : str
        Its words; where it is empty, those of the package.
    flags : iterable of str
        Of `FLAGS`: what matters and no register shows.
    """

    effective_at: datetime | None = None
    text: str = ""
    flags: tuple[str, ...] = ()


def current(session: Session, now: datetime) -> PolicyVersion:
    """Return the version in force."""
    found = session.scalar(
        select(PolicyVersion)
        .where(PolicyVersion.effective_at <= now)
        .order_by(PolicyVersion.number.desc())
        .limit(1)
    )
    if found is None:
        raise AbsentError("no version of the policy is in force")
    return found


def current_registers(session: Session, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return the name of the version in force and what it states beside its words: read once, it stays."""
    name = current_name(session, now)
    if name not in _STATED:
        found = select(PolicyVersion.registries).where(PolicyVersion.version == name)
        _STATED[name] = session.execute(found).scalar_one()
    return name, _STATED[name]


def current_name(session: Session, now: datetime) -> str:
    """Return the name of the version in force, without its words."""
    return session.scalar(IN_FORCE, {"now": now}) or ""


def later(session: Session, now: datetime) -> list[PolicyVersion]:
    """Return the versions that are published and not yet in force, the next one first."""
    return list(
        session.scalars(
            select(PolicyVersion).where(PolicyVersion.effective_at > now).order_by(PolicyVersion.number)
        )
    )


def shown(session: Session, now: datetime) -> tuple[str, ...]:
    """Return the names of the version in force and of those that follow: what is published never changes."""
    later = (
        select(PolicyVersion.version).where(PolicyVersion.effective_at > now).order_by(PolicyVersion.number)
    )
    return (current_name(session, now), *session.scalars(later))


def every(session: Session) -> list[PolicyVersion]:
    """Return all versions without their words, the first one first."""
    light = defer(PolicyVersion.text), defer(PolicyVersion.registries)
    return list(session.scalars(select(PolicyVersion).options(*light).order_by(PolicyVersion.number)))


def find(session: Session, version: str) -> PolicyVersion:
    """Return a version by its name; raises AbsentError."""
    found = session.get(PolicyVersion, version)
    if found is None:
        raise AbsentError("there is no such version: GET /v1/policy/versions lists them")
    return found


def chain(session: Session) -> list[PolicyVersion]:
    """Return all versions, from the first on, having seen that none was changed or taken out.

    Raises
    ------
    SetupError
        One was; or there is none.
    """
    # Clause 8 (head) a: who accepted a version finds the words that it had then.
    links = list(session.scalars(select(PolicyVersion).order_by(PolicyVersion.number)))
    lost = select(Acceptance.id).where(~exists().where(PolicyVersion.version == Acceptance.version)).limit(1)
    if not links or [one.number for one in links] != [*range(1, len(links) + 1)] or session.scalar(lost):
        raise SetupError("a version of the policy is missing from the chain: restore it from a backup")
    for last, one in zip([None, *links], links, strict=False):
        if one.record != _record(one, last) or one.version != one.record[:_SHORT]:
            raise SetupError(f"the policy's version {one.version} was changed after it was published")
    return links


def check(parts: Parts) -> None:
    """See that the chain is whole, and that what this release does is what a published version says.

    Raises
    ------
    SetupError
        It is not; the message says what to publish.
    """
    now, mine = parts.clock(), stated(parts.settings)
    with parts.database.begin() as session:
        links = chain(session)
        known = [current(session, now), *later(session, now)]
    # Clause 8(1): what the code does with data, and no version says, is not done.
    if not any(_agrees(one, mine) for one in known):
        what = ", ".join(differences(links[-1].registries, mine)) or "the text"
        raise SetupError(
            f"the policy's newest version says otherwise than this release about: {what}. "
            "Publish a version: python -m service publish --effective DATE"
        )


def is_in_force(parts: Parts) -> bool:
    """Say whether the version in force is the one that this process does, so that it may go on."""
    with parts.database.begin() as session:
        return _agrees(current(session, parts.clock()), stated(parts.settings))


def publish_first(parts: Parts) -> None:
    """Publish the packaged policy where there is none yet."""
    with parts.database.begin() as session:
        _one_at_a_time(session, parts)
        if session.scalar(select(PolicyVersion.version).limit(1)) is None:
            now = parts.clock()
            session.add(_version(None, policy_text(), stated(parts.settings), now, now, ()))


def publish(parts: Parts, draft: Draft, grounds: Grounds | None = None) -> tuple[PolicyVersion, int]:
    """Publish a version; where what changes matters, tell every account in the same transaction.

    Parameters
    ----------
    parts : Parts
        The parts.
    draft : Draft
        What it is to be.
    grounds : Grounds, optional
        Which operator does it, what for; left out on the command line, which knows no accounts.

    Returns
    -------
    version, told
        How many accounts were told.

    Raises
    ------
    ConflictError
        Nothing has changed.
    RefusedError
        It would come into force too early, or its text is not given.
    SetupError
        The chain is not whole.
    """
    now, mine = parts.clock(), stated(parts.settings)
    with parts.database.begin() as session:
        _one_at_a_time(session, parts)
        last = chain(session)[-1]
        words = draft.text or _words_of(last)
        changed = [REASONS[name] for name in differences(last.registries, mine)]
        reasons = tuple(dict.fromkeys([*changed, *(one for one in FLAGS if one in draft.flags)]))
        if not reasons and words == last.text and digest_of(policy_text()) == last.package:
            raise ConflictError("nothing differs from the newest version")
        effective_at = draft.effective_at or max(now, last.effective_at)
        _refuse_too_early(parts, last, effective_at, matters=bool(reasons))
        # In UTC, as it will be read again: the record of the chain holds how the moment is written.
        new = _version(last, words, mine, now, effective_at.astimezone(UTC), reasons)
        session.add(new)
        if grounds is not None:
            write(parts, session, grounds, "publish policy", new.version)
        # Clause 8 (head) b: nobody is left out, for it is one transaction with the version.
        told = tell(session, "policy", _facts(new), now) if new.material else 0
    parts.logs.write(Deed(deed="policy published", count=told))
    return new, told


def tell_newcomer(session: Session, account_id: str, now: datetime) -> None:
    """Tell a new account of what is published, matters and is not yet in force: nobody else would."""
    # The lock: who publishes meanwhile waits, and then sees the new account.
    waiting = select(PolicyVersion).where(PolicyVersion.effective_at > now, PolicyVersion.material)
    for one in session.scalars(waiting.with_for_update(read=True)).all():
        tell(session, "policy", _facts(one), now, Account.id == account_id)


def _words_of(last: PolicyVersion) -> str:
    """Return the package's words; they do not take the place of an operator's own unasked."""
    if digest_of(last.text) != last.package:
        raise RefusedError("the newest version has a text of your own, so: give its new text, too")
    return policy_text()


def _refuse_too_early(parts: Parts, last: PolicyVersion, effective_at: datetime, *, matters: bool) -> None:
    now = parts.clock()
    first = max(now + timedelta(days=parts.settings.notice_days) if matters else now, last.effective_at)
    if effective_at < first:
        raise RefusedError(
            f"it can come into force from {first:%Y-%m-%d %H:%M} UTC on: not before what was published "
            f"last, and what matters {parts.settings.notice_days} days after everybody was told"
        )
    if effective_at > now + _FAR:
        raise RefusedError(f"it has to come into force within {_FAR.days} days: no later one could before it")


def _version(
    last: PolicyVersion | None,
    words: str,
    mine: Stated,
    now: datetime,
    effective_at: datetime,
    reasons: Iterable[str],
) -> PolicyVersion:
    new = PolicyVersion(
        number=last.number + 1 if last else 1,
        previous=last.version if last else None,
        package=digest_of(policy_text()),
        digest=text_digest(words),
        text=words,
        registries=mine,
        published_at=now,
        effective_at=effective_at,
        reasons=list(reasons),
        material=bool(reasons),
    )
    new.record = _record(new, last)
    new.version = new.record[:_SHORT]
    return new


def _record(one: PolicyVersion, last: PolicyVersion | None) -> str:
    """Return the digest of all that a version is, and of the record before."""
    return digest_of(
        [
            last.record if last else None,
            one.number,
            one.previous,
            one.package,
            one.digest,
            one.text,
            one.registries,
            one.published_at.isoformat(),
            one.effective_at.isoformat(),
            one.reasons,
            one.material,
        ]
    )


def _agrees(one: PolicyVersion, mine: Stated) -> bool:
    return one.package == digest_of(policy_text()) and not differences(one.registries, mine)


def _facts(one: PolicyVersion) -> dict[str, str]:
    return {
        "version": one.version,
        "date": f"{one.effective_at:%Y-%m-%d}",
        "reasons": " ".join(one.reasons),
    }


def _one_at_a_time(session: Session, parts: Parts) -> None:
    """Let nobody else publish meanwhile; SQLite has one transaction at a time anyway."""
    if not parts.database.is_sqlite:
        session.execute(text("LOCK TABLE policy_versions IN EXCLUSIVE MODE"))
