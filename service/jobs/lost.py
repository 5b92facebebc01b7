"""Processes that are no more, and what becomes of the jobs that lived in them."""

import os
from contextlib import suppress
from pathlib import Path

from facekit.errors import PrivacyError
from facekit.folders import LEDGER
from facekit.ledger import Duty, Ledger
from facekit.privacy import Store
from facekit.receipts import Erased, How, What, issue_receipt
from facekit.runs import Run, bury, find_dead, is_run
from service.jobs import ledger
from service.jobs.store import Job
from service.parts import Parts

_KINDS = {"upload": What.UPLOAD_STORED, "result": What.RESULT_STORED}


class Replica:
    """Our process among those that share a data folder: alive for as long as it holds its file's lock.

    Parameters
    ----------
    folder : Path
        Where each has its file.

    Raises
    ------
    OSError
        The folder or the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path = folder
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._run = Run(self._folder)
        self.id = self._run.id

    def bury(self, parts: Parts, store: Store, duties: tuple[Duty, ...]) -> int:
        """Write down that jobs of processes that have ended are lost; return how many.

        Parameters
        ----------
        parts : Parts
            The parts.
        store : Store
            Has erased what those processes left.
        duties : tuple of Duty
            What it had to erase, from before it was started.
        """
        others = {path.name for path in self._path.iterdir() if is_run(path.name)} - {self.id}
        dead = find_dead(self._folder, others)
        try:
            jobs = ledger.lost(parts, list(dead))
            for job in jobs:
                _lose(parts, store, job, duties)
        except BaseException:
            bury(self._folder, dead, keep=dead)
            raise
        bury(self._folder, dead, keep=())
        return len(jobs)

    def end(self) -> None:
        """Give up the file: this process has no jobs any more."""
        self._run.end()
        os.close(self._folder)


def duties_in(folder: Path) -> tuple[Duty, ...]:
    """List the duties of a store that has not been started."""
    with suppress(PrivacyError):
        if (folder / LEDGER).exists():
            return Ledger(folder / LEDGER).duties()
    return ()


def _lose(parts: Parts, store: Store, job: Job, duties: tuple[Duty, ...]) -> None:
    """Give a lost job its receipt: of the files that were seen to be gone, and of nothing else."""
    mine, left = [duty for duty in duties if duty.job == job.id], {duty.file for duty in store.open_duties()}
    if any(duty.file in left for duty in mine):
        return  # it resists; the store goes on trying, and the next look at the lost comes back to it
    gone, now = {_KINDS[duty.kind] for duty in mine}, parts.clock()
    had_result = What.RESULT_STORED in gone
    receipt = issue_receipt(
        parts.signer,
        job.id,
        issued=now,
        outcome="lost",
        erased=[Erased(what, How.OVERWRITTEN_UNLINKED, now) for what in gone],
        upload="plain" if job.upload == "plain" else "sealed",
        result_key="none" if not had_result else "client" if job.sealed_to == "client" else "job",
    )
    ledger.finish(parts, job.id, "lost", None, receipt)
