"""The composition root: makes every part, joins them, and gives the application. Nothing else does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from facekit import __version__
from facekit.pool import WORKS
from facekit.signing import Signer
from service import openapi, problems
from service.accounts.forgetting import FORGET
from service.accounts.routes import router as accounts
from service.clock import Clock, utc_now
from service.consent.routes import router as consent
from service.contact.routes import router as contact
from service.database import Database
from service.datamap import data_map
from service.errors import EndedError
from service.gate import Door
from service.gateway import Gateway
from service.jobs.room import Room
from service.jobs.routes import router as jobs
from service.limits import Limits
from service.logs import Logs
from service.ops.health_routes import router as health
from service.ops.health_routes import well_known
from service.ops.routes import router as ops
from service.parts import Parts
from service.policy.routes import router as policy
from service.policy.versions import check, publish_first
from service.retention import Keeper
from service.rights.cancellation import replay
from service.rights.routes import router as rights
from service.settings import Settings
from service.tables import Base
from service.tally import Tally
from service.vault import Vault
from service.watching import Watching

ROUTERS: Final = (policy, accounts, consent, jobs, rights, contact, health, ops)
PREFIX: Final = "/v1"


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
        signer=Signer.load(settings.data / "keys" / "receipts.pem"),
        forget=FORGET,
        tally=Tally(),
    )
    door.parts = room.parts = parts
    publish_first(parts)
    # Clause 5.3 p2 b: before anybody is let in, for a restored backup brings cancelled accounts back.
    replay(parts)
    return parts


def build(parts: Parts) -> FastAPI:
    """Join the parts to an application.

    Raises
    ------
    SetupError
        What it would do is not what a published version of the policy says.
    """
    check(parts)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        keeper = Keeper(parts)
        try:
            parts.jobs.start()
            keeper.start()
        except Exception as error:
            parts.logs.defect(error)  # the server that runs this would say it in words of its own
            raise
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
    openapi.install(app)
    whole = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        whole.include_router(router, responses=problems.problems(EndedError))
    app.include_router(whole)
    app.include_router(well_known)
    app.add_middleware(Watching, parts=parts, prefix=PREFIX)
    return app


def _name_of(route: APIRoute) -> str:
    """Name an operation after its function, as clients call it."""
    return route.name
