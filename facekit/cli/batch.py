"""Folders of pictures: each file is a job of its own, and one bad file never stops the others."""

import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import typer

from facekit.cli.base import (
    BAD_INPUT,
    DEFECT,
    WRONG_USAGE,
    CommandError,
    console,
    explain,
    leave,
    put_json,
    show_trace,
    shown,
)
from facekit.cli.files import check_extension, check_target

__all__ = ["Job", "Outcome", "plan_batch", "run_batch", "run_folder"]

Job: TypeAlias = Callable[[Path, Path, bool], None]  # source, target, force; picklable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    file : str
        The source's name.
    ok : bool
        Whether the output was written.
    error : str or None
        The reason if not.
    output : str or None
        Where the output is.
    code : int
        The exit code that this file alone would have given.
    """

    file: str
    ok: bool
    error: str | None
    output: str | None
    code: int = 0


def plan_batch(
    folder: Path, out: Path, *, extension: str, readable: Collection[str]
) -> list[tuple[Path, Path]]:
    """Pair the pictures of a folder with their outputs.

    Parameters
    ----------
    folder : Path
        Its own files are taken, sorted by name; not its subfolders, nor hidden files.
    out : Path
        The folder of the outputs.
    extension : str
        Of the outputs, with its dot.
    readable : collection of str
        Extensions of files that are taken.

    Returns
    -------
    list of (source, target)
        Targets differ even where letter case does not count: ``a.jpg`` and ``a.png`` become
        ``a-jpg`` and ``a-png``.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    sources = [folder / name for name in names if Path(name).suffix.lower() in readable]
    stems = [source.stem.casefold() for source in sources]
    taken: set[str] = set()
    pairs = []
    for source, stem in zip(sources, stems, strict=True):
        plain = source.stem if stems.count(stem) == 1 else f"{source.stem}-{source.suffix[1:].lower()}"
        name, number = plain, 1
        while name.casefold() in taken or (name != source.stem and name.casefold() in stems):
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        pairs.append((source, out / f"{name}{extension}"))
    return pairs


def run_batch(
    job: Job,
    pairs: Sequence[tuple[Path, Path]],
    *,
    force: bool,
    workers: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Outcome]:
    """Do `job` for every pair in fresh processes.

    Parameters
    ----------
    job : callable
        Takes source, target and force; must be picklable.
    pairs : sequence of (source, target)
        From `plan_batch`.
    force : bool
        Whether existing outputs may be replaced.
    workers : int
        Processes at a time.
    progress : callable
        Told how many files are done.

    Returns
    -------
    list of Outcome
        In the order of `pairs`, whatever happened.

    Notes
    -----
    Processes are spawned, never forked, since a landmarker does not survive a fork. When one
    dies, the rest goes on one by one until it is known which file did it; only that one fails.
    """
    done: dict[int, Outcome] = {}

    def note(index: int, outcome: Outcome) -> None:
        done[index] = outcome
        progress(len(done))

    # A process that is stopped because another died may have just written its output: that one
    # is ours to replace. What was there before the batch is not.
    fresh = [not os.path.lexists(target) for _, target in pairs]
    pending, width, started = list(range(len(pairs))), workers, False
    while pending:
        tasks = {
            index: partial(_do, job, *pairs[index], force or (started and fresh[index])) for index in pending
        }
        _pool(tasks, width, note)
        started = True
        pending = [index for index in pending if index not in done]
        if pending and width == 1:
            line = "the process that worked on this file died; it may need more memory than there is"
            culprit = pending.pop(0)
            note(culprit, Outcome(pairs[culprit][0].name, False, line, None, BAD_INPUT))
            width = workers
        elif pending:
            width = 1
    return [done[index] for index in range(len(pairs))]


def _pool(
    tasks: Mapping[int, Callable[[], Outcome]], workers: int, note: Callable[[int, Outcome], None]
) -> None:
    """Work through `tasks`, in their order, until all are noted or a process dies."""
    size = min(workers, len(tasks))
    waiting: dict[Future[Outcome], int] = {}
    with ProcessPoolExecutor(size, mp_context=get_context("spawn"), initializer=_start_worker) as pool:
        try:
            with suppress(BrokenProcessPool):
                for index, task in tasks.items():
                    waiting[pool.submit(task)] = index
            for future in as_completed(waiting):
                with suppress(BrokenProcessPool):
                    note(waiting[future], future.result())
        except BaseException:
            # Ctrl-C: files at work are finished and whole, the rest never starts.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, leave)


def _do(job: Job, source: Path, target: Path, force: bool) -> Outcome:
    try:
        check_target(target, known=(target.suffix,), force=force, source=source)
        job(source, target, force)
    except Exception as error:
        show_trace(error)
        plain = explain(error)
        return Outcome(source.name, False, _without_path(plain, source), None, plain.code)
    return Outcome(source.name, True, None, str(target))


def _without_path(refusal: CommandError, source: Path) -> str:
    return str(refusal).removeprefix(f"{source}: ")


def run_folder(
    job: Job,
    folder: Path,
    out: Path,
    *,
    form: str,
    known: Collection[str],
    force: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run a batch from the command line: check, work, report, and leave with the exit code.

    Parameters
    ----------
    job : callable
        Takes source, target and force; must be picklable.
    folder, out : Path
        Where the pictures are and where the outputs go; `out` is made if missing.
    form : str
        The outputs' extension, with its dot or without.
    known : collection of str
        Extensions that can be written, with their dot.
    force, as_json : bool
        The options of the same names.
    workers : int, optional
        Processes at a time; by default, one.

    Raises
    ------
    CommandError
        The extension is not known; a folder is missing, both are the same, or there is no picture.
    typer.Exit
        Some file failed: 3, or 1 if any hit a defect.
    """
    from facekit.codec import READABLE

    extension = f".{form.lstrip('.').lower()}"
    check_extension(out / f"any{extension}", known=known)
    _check_folders(folder, out)
    pairs = plan_batch(folder, out, extension=extension, readable=READABLE)
    if not pairs:
        raise CommandError(f"{folder}: no pictures here; known are {', '.join(sorted(READABLE))}")
    with _bar(len(pairs)) as advance:
        outcomes = run_batch(job, pairs, force=force, workers=workers or 1, progress=advance)
    failed = sum(not outcome.ok for outcome in outcomes)
    if as_json:
        files = [{"file": o.file, "ok": o.ok, "error": o.error, "output": o.output} for o in outcomes]
        put_json({"files": files, "done": len(outcomes) - failed, "failed": failed})
    else:
        _print_report(outcomes, out)
    if failed:
        raise typer.Exit(DEFECT if any(o.code == DEFECT for o in outcomes) else BAD_INPUT)


def _check_folders(folder: Path, out: Path) -> None:
    if not folder.is_dir():
        raise CommandError(f"{folder}: no such folder")
    if out.exists() and not out.is_dir():
        raise CommandError(f"{out}: with --batch this must be a folder", code=WRONG_USAGE)
    if not out.parent.is_dir():
        raise CommandError(f"{out.parent}: no such folder; make it first")
    out.mkdir(exist_ok=True)
    if out.samefile(folder):
        raise CommandError(f"{out}: input and output are the same folder; choose another", code=WRONG_USAGE)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("Pictures", total=total)
        yield lambda done: bar.update(task, completed=done)


def _print_report(outcomes: Sequence[Outcome], out: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    failed = [outcome for outcome in outcomes if not outcome.ok]
    screen = console()
    if failed:
        table = Table("File", "Why it failed", box=None, header_style="bold", pad_edge=False)
        for outcome in failed:
            table.add_row(Text(shown(outcome.file)), Text(shown(outcome.error)))
        screen.print(table)
    screen.print(Text(f"{len(outcomes) - len(failed)} of {len(outcomes)} pictures done, in {shown(out)}"))
