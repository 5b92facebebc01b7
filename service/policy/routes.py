"""Ways in to the policy: reading and accepting it, its versions, notices and cookies."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from service.bodies import MORE
from service.caller import Access, Caller, Level
from service.cookies import COOKIES
from service.errors import (
    AbsentError,
    ConflictError,
    NoScopeError,
    NotAllowedError,
    RefusedError,
    SecondFactorError,
    TooManyError,
    UnknownCallerError,
)
from service.ops.audit import Grounds
from service.ops.grounds import grounds
from service.parts import Parts, the_parts
from service.policy import notices, service, versions
from service.policy.registry import Language
from service.policy.schemas import (
    Accept,
    Accepted,
    Cookies,
    CookieView,
    Notices,
    NoticeView,
    PolicyNow,
    PolicyView,
    Publish,
    Published,
    RegisterDifference,
    VersionDifference,
    Versions,
    VersionView,
)
from service.policy.stated import differences, text_difference
from service.policy.store import Notice, PolicyVersion
from service.problems import problems
from service.schemas import Version

router = APIRouter(tags=["policy"])

Anybody = Annotated[Caller, Depends(Access(Level.ANYBODY))]
# Clause 8 (head) b: also who has not accepted what is new has to see what it is.
Told = Annotated[Caller, Depends(Access(Level.ACCOUNT, leaving=True))]
Publisher = Annotated[Grounds, Depends(grounds(leaving=True))]
TheParts = Annotated[Parts, Depends(the_parts)]


@router.get(
    "/policy",
    response_model=PolicyNow,
    responses={304: {"description": "It is as you have it."}, **problems(UnknownCallerError)},
)
def read_policy(
    _: Anybody,
    parts: TheParts,
    had: Annotated[str, Header(alias="If-None-Match", description="The ETag that you have.")] = "",
) -> Response:
    """Read the version in force. Reading stores nothing."""
    # Clause P-4: who reads and leaves has been given no number, no cookie and no row.
    now = parts.clock()
    with parts.database.begin() as session:
        names = versions.shown(session, now)
        if names not in _RENDERED:
            whole, following = _whole(versions.current(session, now)), versions.later(session, now)
            later = [_view(one) for one in following]
            _RENDERED.clear()
            _RENDERED[names] = PolicyNow(**whole, later=later).model_dump_json().encode()
        rendered = _RENDERED[names]
    headers = {"ETag": f'"{".".join(names)}"'}
    if headers["ETag"] in had:
        return Response(status_code=304, headers=headers)
    return Response(rendered, headers=headers, media_type="application/json")


#: By the names of what is shown: a version never changes, so it is rendered once.
_RENDERED: Final[dict[tuple[str, ...], bytes]] = {}


@router.post(
    "/policy/acceptances",
    status_code=201,
    responses=problems(UnknownCallerError, NoScopeError, ConflictError, TooManyError),
)
def accept_policy(caller: Anybody, parts: TheParts, asked: Accept) -> Accepted:
    """Accept the version in force. This is what everything else needs first, and no consent to anything."""
    # Clause P-3: a person accepts, having been shown the words; no program does it for them.
    if caller.key_id:
        raise NoScopeError("API keys cannot do this")
    parts.limits.spend(
        "acceptances from", caller.network, parts.settings.acceptances_per_address, timedelta(hours=1)
    )
    accepted, token = service.accept(parts, caller, asked.version, asked.digest, asked.language)
    return Accepted(
        id=accepted.id,
        version=accepted.version,
        digest=accepted.digest,
        language=asked.language,
        at=accepted.at,
        token=token,
    )


@router.get("/policy/versions", responses=problems(UnknownCallerError))
def list_policy_versions(_: Anybody, parts: TheParts) -> Versions:
    """List all versions, in force, before and to come."""
    with parts.database.begin() as session:
        return Versions(items=[_view(one) for one in versions.every(session)])


@router.get("/policy/versions/{version}", responses=problems(UnknownCallerError, AbsentError))
def read_policy_version(_: Anybody, parts: TheParts, version: Version) -> PolicyView:
    """Read one version, whole; it is never changed."""
    with parts.database.begin() as session:
        return PolicyView(**_whole(versions.find(session, version)))


@router.get("/policy/diff", responses=problems(UnknownCallerError, AbsentError))
def compare_policy_versions(
    _: Anybody,
    parts: TheParts,
    older: Annotated[Version, Query(alias="from")],
    newer: Annotated[Version, Query(alias="to")],
) -> VersionDifference:
    """Compare two versions: their words line by line, and their registers."""
    with parts.database.begin() as session:
        one, other = versions.find(session, older), versions.find(session, newer)
    found = differences(one.registries, other.registries)
    return VersionDifference(
        older=older,
        newer=newer,
        text=list(text_difference(one.text, other.text)),
        registers={
            name: RegisterDifference(added=list(it.added), removed=list(it.removed), changed=list(it.changed))
            for name, it in found.items()
        },
    )


@router.post(
    "/ops/policy/versions",
    status_code=201,
    openapi_extra={MORE: 2**21},
    responses=problems(
        UnknownCallerError, NotAllowedError, NoScopeError, SecondFactorError, ConflictError, RefusedError
    ),
)
def publish_policy_version(publisher: Publisher, parts: TheParts, asked: Publish) -> Published:
    """Publish a version; where something that matters changes, every account is told."""
    flags = tuple(name for name in ("ownership", "impact") if getattr(asked, name))
    version, told = versions.publish(parts, versions.Draft(asked.effective_at, asked.text, flags), publisher)
    return Published(version=_view(version), told=told)


@router.get("/notices", responses=problems(UnknownCallerError, NoScopeError))
def list_notices(caller: Told, parts: TheParts, language: Language = "en") -> Notices:
    """List what you are told. While there is something that you have not seen, every answer says so."""
    with parts.database.begin() as session:
        found = notices.own(session, caller.account_id)
    items = [_notice(parts, one, language) for one in found]
    return Notices(unread=sum(one.read_at is None for one in items), items=items)


@router.post("/notices/{id}/read", responses=problems(UnknownCallerError, NoScopeError, AbsentError))
def read_notice(
    caller: Told, parts: TheParts, notice_id: Annotated[str, Path(alias="id")], language: Language = "en"
) -> NoticeView:
    """Say that you have seen a notice; the first time counts."""
    with parts.database.begin() as session:
        found = notices.read(session, caller.account_id, notice_id, parts.clock())
    return _notice(parts, found, language)


@router.get("/cookies", responses=problems(UnknownCallerError))
def list_cookies(_: Anybody) -> Cookies:
    """List every cookie that the service sets."""
    # Clause 2 (head): made from the list without which none can be set.
    return Cookies(
        items=[
            CookieView(name=name, purpose=one.words, seconds=one.seconds, party=one.party)
            for name, one in COOKIES.items()
        ]
    )


def _view(one: PolicyVersion) -> VersionView:
    return VersionView(**{name: getattr(one, name) for name in VersionView.model_fields})


def _whole(one: PolicyVersion) -> dict[str, Any]:
    # Clause 9a: who answers stands in every rendering.
    return {
        **_view(one).model_dump(),
        "operator": one.registries["operator"],
        "contact": one.registries["contact"],
        "text": one.text,
        "registries": one.registries,
    }


def _notice(parts: Parts, one: Notice, language: Language) -> NoticeView:
    title, text = notices.worded(one, language)
    return NoticeView.model_validate(
        {
            **{name: getattr(one, name) for name in ("id", "kind", "facts", "at", "read_at")},
            "title": title,
            "text": text,
            "language": language,
            "operator": parts.settings.operator_name,
            "contact": parts.settings.contact,
        }
    )
