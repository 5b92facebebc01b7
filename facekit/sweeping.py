"""The look through a store for what nobody needs: unknown, overdue, or of a process that has died."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from facekit.errors import ErasureError, PrivacyError
from facekit.ledger import Duty, Kind, Ledger
from facekit.runs import bury, find_dead, is_run
from facekit.wiping import entries, erase_entry

__all__ = ["Swept", "sweep"]

Why: TypeAlias = Literal["unknown", "overdue", "lost"]


@dataclass(frozen=True, slots=True)
class Swept:
    """One thing that a sweep came upon.

    Parameters
    ----------
    job : str or None
        The job whose it was, if known.
    kind : {"upload", "result"} or None
        What it was, if known.
    why : {"unknown", "overdue", "lost"}
        Without a duty; past its time; or of a run whose process has ended.
    erased : bool
        Whether it is gone. Where it is not, the next sweep tries again.
    """

    job: str | None
    kind: Kind | None
    why: Why
    erased: bool


def sweep(
    sealed: int,
    runs: int,
    ledger: Ledger,
    *,
    own: str,
    is_overdue: Callable[[Duty], bool],
    erase: Callable[[Duty], None],
) -> tuple[Swept, ...]:
    """Erase what nobody needs; the files of runs that live are left alone until they are overdue.

    Parameters
    ----------
    sealed, runs : int
        Descriptors of the folders.
    ledger : Ledger
        The duties.
    own : str
        The run that sweeps.
    is_overdue, erase : function
        Say whether a duty's time is over, and do it.

    Returns
    -------
    tuple of Swept
        What was found. One that resists does not keep the sweep from the others.

    Raises
    ------
    PrivacyError
        A folder or the ledger cannot be read.
    """
    try:
        # The files first: each of these had its duty before it was there.
        files = set(entries(sealed))
        duties = ledger.duties()
        known = {name for name in entries(runs) if is_run(name)} | {duty.run for duty in duties}
        dead = find_dead(runs, known - {own})
    except OSError as error:
        raise PrivacyError(f"the store's folder cannot be read ({error.strerror})") from error
    left: set[str] = set()
    try:
        swept = [
            Swept(None, None, "unknown", _is_erased(erase_entry, sealed, name, wait=False))
            for name in sorted(files - {duty.file for duty in duties})
        ]
        for duty in duties:
            why: Why = "lost" if duty.run in dead else "overdue"
            # Clause 1.2.2(4)b: after ten minutes at the latest, whatever became of the job.
            if why == "lost" or is_overdue(duty):
                swept.append(Swept(duty.job, duty.kind, why, _is_erased(erase, duty)))
                left |= set() if swept[-1].erased else {duty.run}
    finally:
        bury(runs, dead, keep=left)
    return tuple(swept)


def _is_erased(erase: Callable[..., None], *args: object, **options: bool) -> bool:
    try:
        erase(*args, **options)
    except (OSError, ErasureError):
        return False
    return True
