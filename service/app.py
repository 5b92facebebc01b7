"""The composition root: makes every part, joins them, and gives the application. Nothing else does."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from facekit import __version__
from facekit.pool import WORKS
from facekit.signing import Signer
from service import problems
from service.accounts.forgetting import FORGET
from service.accounts.routes import router as accounts
from service.caller import network_of_request
from service.clock import Clock, utc_now
from service.consent.routes import router as consent
from service.database import Database
from service.datamap import data_map
from service.errors import EndedError, TooManyError
from service.gate import Door
from service.gateway import Gateway
from service.jobs.room import Room
from service.jobs.routes import router as jobs
from service.limits import Limits
from service.logs import Logs, client_family, size_range, take_over
from service.logs import Request as Answered
from service.ops.routes import router as ops
from service.parts import Parts
from service.policy.routes import router as policy
from service.policy.service import publish_first
from service.retention import Keeper
from service.rights.cancellation import replay
from service.rights.routes import router as rights
from service.settings import Settings
from service.tables import Base
from service.vault import Vault

ROUTERS: Final = (policy, accounts, consent, jobs, rights, ops)
PREFIX: Final = "/v1"


class _NoNotices:
    def tell(
        self,
        session: Session,
        kind: str,
        facts: Mapping[str, str],
        now: datetime,
        whom: ColumnElement[bool] | None = None,
    ) -> int:
        """Tell nobody (until there are notices)."""
        del session, kind, facts, now, whom
        return 0


def make_parts(settings: Settings, *, clock: Clock = utc_now, works: Mapping[str, str] = WORKS) -> Parts:
    """Make the parts; none of them has begun to work.

    Parameters
    ----------
    settings : Settings
        What the operator decides.
    clock : function
        Tells the time.
    works : mapping of str to str
        What cells can do, as in `facekit.pool.Cells`; for tests.

    Raises
    ------
    SetupError
        Something is not as it must be; the message says what to do.
    """
    data_map(Base)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.data / "keys").mkdir(mode=0o700, exist_ok=True)
    database = Database(settings.database)
    database.migrate()
    vault = Vault(settings.keys, settings.master_key, clock)
    door, room = Door(), Room(settings, works=works)
    parts = Parts(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        limits=Limits(database, vault, clock),
        logs=Logs(settings.data / "logs", vault, clock, stderr=settings.log_stderr),
        gateway=Gateway(database, clock),
        gate=door,
        jobs=room,
        notices=_NoNotices(),
        signer=Signer.load(settings.data / "keys" / "receipts.pem"),
        forget=FORGET,
    )
    door.parts = room.parts = parts
    publish_first(parts)
    # Clause 5.3 p2 b: before anybody is let in, for a restored backup brings cancelled accounts back.
    replay(parts)
    return parts


def build(parts: Parts) -> FastAPI:
    """Join the parts to an application."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        keeper = Keeper(parts)
        parts.jobs.start()
        keeper.start()
        yield
        keeper.stop()
        parts.jobs.close()
        parts.gateway.close()
        parts.database.close()
        parts.vault.close()

    app = FastAPI(
        title="facekit",
        version=__version__,
        summary="Faces into templates, in a place that provably forgets them.",
        lifespan=life,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_name_of,
        strict_content_type=True,
    )
    app.state.parts = parts
    problems.install(app)
    whole = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        # Who guesses, anywhere; and who comes when the service has ended.
        whole.include_router(router, responses=problems.problems(TooManyError, EndedError))
    app.include_router(whole)
    app.middleware("http")(_watch)
    take_over(parts.logs)
    return app


def _name_of(route: APIRoute) -> str:
    """Name an operation after its function, as clients call it."""
    return route.name


async def _watch(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Log each request by the closed schema, turn what nobody expected into a problem, and forbid caching."""
    parts: Parts = request.app.state.parts
    start = time.perf_counter()
    try:
        response = await go_on(request)
    except Exception as error:
        parts.logs.defect(error)
        response = problems.answer(error)
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status_code == 404 and request.path_params:
        await run_in_threadpool(
            parts.gate.missed, getattr(request.state, "account_id", ""), network_of_request(request)
        )
    route = request.scope.get("route")
    parts.logs.write(
        Answered(
            method=request.method,
            route=route.path if isinstance(route, APIRoute) else "",
            status=response.status_code,
            milliseconds=round((time.perf_counter() - start) * 1000),
            network=network_of_request(request),
            client=client_family(request.headers.get("user-agent", "")),
            account=parts.logs.pseudonym(getattr(request.state, "account_id", "")),
            size=size_range(int(length))
            if (length := request.headers.get("content-length", "0")).isdigit()
            else "",
        )
    )
    return response
