"""The parts that every domain works with; `app.build` makes them, and nobody else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fastapi import Request
from sqlalchemy.orm import Session

from facekit.errors import FacekitError
from facekit.signing import Signer
from service.caller import Gate
from service.clock import Clock
from service.database import Database
from service.gateway import Gateway
from service.limits import Limits
from service.logs import Logs
from service.settings import Settings
from service.tally import Tally
from service.vault import Vault


class Stopper(Protocol):
    """Ends jobs, and tells whether there can be any; what others need of the domain of jobs."""

    def stop(self, account_id: str, *, permission: str = "") -> int:
        """End an account's jobs (those of a permission, or all), and erase them; return how many."""

    def is_ready(self) -> bool:
        """Say whether a job could begin now."""


#: Erases what a consent had made possible; in the transaction that withdraws it.
Forget: TypeAlias = Callable[[Session, str], None]


class Jobs(Stopper, Protocol):
    """The domain of jobs, as the others see it."""

    def start(self) -> None:
        """Begin to take jobs; cells are started aside."""

    def close(self) -> None:
        """End all jobs, and erase them."""

    def when_refused(self, tell: Callable[[FacekitError], object]) -> None:
        """Have an error told that keeps cells from being started, also one from before."""

    def work(self, name: str, picture: bytearray, options: Mapping[str, Any]) -> bytearray:
        """Have a cell do something with a picture that is no job's, as with an avatar.

        Parameters
        ----------
        name : str
            One of `facekit.pool.WORKS`.
        picture : bytearray
            A picture file; overwritten, whatever happens.
        options : mapping
            The work's.

        Returns
        -------
        bytearray
            What the work made.

        Raises
        ------
        FacekitError
            What the work refuses, or the cells.
        ClosedError
            There are no cells at the moment.
        """


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
    jobs: Jobs
    signer: Signer
    forget: Mapping[str, Forget]  # by purpose
    tally: Tally


async def the_parts(request: Request) -> Parts:
    """Return the application's parts; a dependency."""
    parts: Parts = request.app.state.parts
    return parts
