"""The parts that every domain works with; `app.build` makes them, and nobody else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from fastapi import Request
from sqlalchemy.orm import Session

from facekit.signing import Signer
from service.caller import Gate
from service.clock import Clock
from service.database import Database
from service.gateway import Gateway
from service.limits import Limits
from service.logs import Logs
from service.settings import Settings
from service.vault import Vault


class Stopper(Protocol):
    """Ends jobs; what consent and cancellation need of the domain of jobs."""

    def stop(self, account_id: str, *, permission: str = "") -> int:
        """End an account's jobs (those of a permission, or all), and erase them; return how many."""


#: Erases what a consent had made possible; in the transaction that withdraws it.
Forget: TypeAlias = Callable[[Session, str], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What is shared."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    limits: Limits
    logs: Logs
    gateway: Gateway
    gate: Gate
    jobs: Stopper
    signer: Signer
    forget: Mapping[str, Forget]  # by purpose


async def the_parts(request: Request) -> Parts:
    """Return the application's parts; a dependency."""
    parts: Parts = request.app.state.parts
    return parts
