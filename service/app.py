"""The composition root: makes every part, joins them, and gives the application. Nothing else does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from facekit import __version__
from facekit.signing import Signer
from service import problems
from service.accounts.routes import router as accounts
from service.clock import Clock, utc_now
from service.consent.routes import router as consent
from service.contact.routes import router as contact
from service.database import Database
from service.datamap import data_map
from service.gate import Door
from service.gateway import Gateway
from service.limits import Limits
from service.logs import Logs
from service.ops.health_routes import router as health
from service.ops.health_routes import well_known
from service.parts import Parts
from service.policy.routes import router as policy
from service.policy.versions import check, publish_first
from service.settings import Settings
from service.tables import Base
from service.tally import Tally
from service.vault import Vault
from service.watching import Watching

ROUTERS: Final = (policy, accounts, consent, contact, health)
PREFIX: Final = "/v1"


class _NoJobs:
    def stop(self, account_id: str, *, permission: str = "") -> int:  # noqa: ARG002 (until there are jobs)
        return 0

    def is_ready(self) -> bool:
        return True


def make_parts(settings: Settings, *, clock: Clock = utc_now) -> Parts:
    """Make the parts.

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
    door = Door()
    parts = Parts(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        limits=Limits(database, vault, clock),
        logs=Logs(settings.data / "logs", vault, clock, stderr=settings.log_stderr),
        gateway=Gateway(database, clock),
        gate=door,
        jobs=_NoJobs(),
        signer=Signer.load(settings.data / "keys" / "receipts.pem"),
        tally=Tally(),
    )
    door.parts = parts
    publish_first(parts)
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
        yield
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
        whole.include_router(router)
    app.include_router(whole)
    app.include_router(well_known)
    app.add_middleware(Watching, parts=parts, prefix=PREFIX)
    return app


def _name_of(route: APIRoute) -> str:
    """Name an operation after its function, as clients call it."""
    return route.name
