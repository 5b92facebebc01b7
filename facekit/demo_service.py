"""The demonstration of the service: from accepting its policy to leaving it, and what is left then.

A service is started in a process of its own and used as anybody would, by its client. It is believed
nothing: what it stores and what its processes hold is searched. Each search has a control, something that
is there for certain and must be found: the photo in this process, which has it, and the account's number in
the service's database, before the account is cancelled.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facekit.canaries import Canaries, canaries_of
from facekit.client import Client, Finished
from facekit.errors import ControlError
from facekit.local_service import LocalService
from facekit.proof import canaries_of_photo, canaries_of_result, photo_of_nobody
from facekit.receipts import ErasureReceipt
from facekit.residue import ResidueReport, State, find_residue, worst

__all__ = ["ServiceDemo", "show_service"]

Say = Callable[[str], object]

PHONE: Final = "+8613800138000"
TEMPLATE: Final = "stamp"
SMALL: Final = MappingProxyType({"CELLS": "1", "STANDBY": "1", "CONTACT": "privacy@example.org"})


@dataclass(frozen=True, slots=True)
class ServiceDemo:
    """What was done and seen.

    Parameters
    ----------
    picture : Path
        The result.
    receipt : ErasureReceipt
        Of the job, verified.
    cancelled : mapping
        The receipt of the account, verified.
    rows : int
        That the export had.
    controls : mapping of str to ResidueReport
        Searches that must find something.
    searches : mapping of str to ResidueReport
        Those that must not, by moment, in order.
    seconds : float
        All in all.
    """

    picture: Path
    receipt: ErasureReceipt
    cancelled: Mapping[str, Any]
    rows: int
    controls: Mapping[str, ResidueReport]
    searches: Mapping[str, ResidueReport]
    seconds: float

    @property
    def state(self) -> State:
        """``"found"`` if anything was left, ``"clean"`` if nothing was and all could be read."""
        return worst(self.searches.values())


def show_service(folder: Path, *, say: Say = str) -> ServiceDemo:
    """Use a service from the first step to the last, and search for what is left.

    Parameters
    ----------
    folder : Path
        Where the result goes; made if missing.
    say : function
        Is told what is going on, a line at a time.

    Returns
    -------
    ServiceDemo
        It holds where `ServiceDemo.state` is ``"clean"``.

    Raises
    ------
    ControlError
        What is there for certain was not found, so the searches prove nothing.
    FacekitError
        The service does not start, or refused something.
    """
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="facekit-demo-") as room,
        LocalService(room, SMALL) as service,
        Client(service.url, receipt_key=service.receipt_key) as client,
    ):
        say(f"{'start':12}  a service of its own listens on {service.url}")
        tour = _Tour(Path(room), service, client, say)
        account = tour.enter()
        done = tour.work(folder / f"service-{TEMPLATE}.webp")
        rows, cancelled = tour.leave(account)
    return ServiceDemo(
        folder / f"service-{TEMPLATE}.webp",
        done.receipt,
        cancelled,
        rows,
        MappingProxyType(tour.controls),
        MappingProxyType(tour.searches),
        time.monotonic() - began,
    )


class _Tour:
    """What is done with the service, and seen."""

    def __init__(self, room: Path, service: LocalService, client: Client, say: Say) -> None:
        self.room, self.service, self.client, self.say = room, service, client, say
        self.controls: dict[str, ResidueReport] = {}
        self.searches: dict[str, ResidueReport] = {}
        # While its first cells are being started.
        self.photo = photo_of_nobody()
        self.sought = canaries_of_photo(self.photo)

    def enter(self) -> str:
        """Accept, sign in, choose; return the account's number."""
        client, policy = self.client, self.client.policy()
        client.accept_policy(policy)
        self._tell("accept", f"version {policy.version} of its policy, {len(policy.text.split()):,} words")
        signed_in = client.sign_in(PHONE, self.service.code)
        self._tell("sign in", f"with the code that it sent to the number that ends in {PHONE[-2:]}")
        client.consents.turn_on(client.consents.all()["face.effect"])
        client.permissions.turn_on(client.permissions.all()["storage"])
        self._tell("consent", "to one purpose, face.effect; and the permission to read the photo")
        return signed_in.account

    def work(self, picture: Path) -> Finished:
        """Do a job, and search for what is left of it."""
        self._control("the photo, in this process, which has it", self.sought, processes=[os.getpid()])
        options = {"format": "webp"}
        done = self.client.swap(self.photo, TEMPLATE, person="me", over_14=True, options=options)
        picture.write_bytes(done.picture)
        self._tell("sealed job", f"the photo went there sealed, the result came sealed; it is {picture}")
        self._tell("receipt", f"job {done.receipt.outcome}; the signature of key {done.receipt.signer} holds")
        self.sought += canaries_of_result(bytes(done.picture), TEMPLATE)
        self._search("photo and result, after delivery", self.sought, processes=self.service.processes())
        return done

    def leave(self, account: str) -> tuple[int, Mapping[str, Any]]:
        """Export everything and cancel; return the rows of the one, and the receipt of the other."""
        self.client.account.confirm(self.service.code)
        rows = sum(map(len, self.client.rights.export()["tables"].values()))
        self._tell("export", f"everything that is held of the account: {rows} rows")
        number = canaries_of(name=account)
        self._control("the account's number, in the service's files", number, folders=[self.room])
        cancelled = self.client.rights.cancel_account()
        self._tell("cancel", "the account is gone; the signature of the receipt holds")
        everything, processes = self.sought + number, self.service.processes()
        self._search("photo, result and account, after cancelling", everything)
        self._search("photo and result, after cancelling", self.sought, processes=processes)
        return rows, cancelled

    def _control(self, what: str, *args: Any, **places: Any) -> None:
        """Search for what is there for certain."""
        report = self.controls[what] = find_residue(*args, usual=False, **places)
        if not report.hits:
            raise ControlError("the search did not find what is there, so it would prove nothing")
        self._tell("control", f"{what}: found")

    def _search(self, what: str, sought: Canaries, processes: Iterable[int] = ()) -> None:
        """Search the service's files, and its processes, for what must not be there."""
        report = find_residue(sought, folders=[self.room], processes=processes, usual=False)
        self.searches[what] = report
        self._tell("search", f"{what}: {sum(hit.count for hit in report.hits)} found")

    def _tell(self, step: str, what: str) -> None:
        self.say(f"{step:12}  {what}")
