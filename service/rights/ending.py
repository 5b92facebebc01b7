"""The end of the service: told beforehand, then nothing new, then nothing left.

The receipt is signed by the same key as all others, which is destroyed last; what proves it afterwards is the
public key, which stands in it and which ``GET /v1/receipt-key`` has shown before.
"""

import fcntl
import os
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.engine import make_url

from facekit.wiping import erase_entry
from service.errors import ConflictError
from service.ops.ending import ends_at
from service.ops.store import Ending
from service.parts import Parts
from service.policy import notices
from service.rights.receipts import LIMITS, TERMINATION, issue
from service.tables import Base

#: Clause 4.1b: how long beforehand people are told, at least.
NOTICE: Final = timedelta(days=30)
RECEIPT: Final = "termination-receipt.json"


def announce(parts: Parts, date: datetime) -> int:
    """Announce when the service ends, to every account; return how many were told.

    Raises
    ------
    ConflictError
        It has been announced, or the day is too near.
    """
    now = parts.clock()
    if date < now + NOTICE:
        raise ConflictError(f"people are told at least {NOTICE.days} days before: choose a later day")
    with parts.database.begin() as session:
        if ends_at(session) is not None:
            raise ConflictError("the end has been announced already")
        session.add(Ending(id=1, announced_at=now, ends_at=date))
        return notices.tell(session, "termination", {"date": f"{date:%Y-%m-%d}"}, now)


def erase_all(parts: Parts) -> Path:
    """Destroy all keys, then wipe all stores; return where the receipt is, which is all that stays.

    What breaks off can be begun again: that the service has ended is the last thing to go.

    Raises
    ------
    ConflictError
        The service has not ended, or still runs.
    """
    with parts.database.begin() as session:
        end = ends_at(session)
        if end is None or end > parts.clock():
            raise ConflictError("the service has not ended: announce its end with --date, and wait for it")
        tables = [table for table in Base.metadata.sorted_tables if table.name != Ending.__tablename__]
        rows = {one.name: session.scalar(select(func.count()).select_from(one)) or 0 for one in tables}
    _require_stopped(parts)
    # Clause 4.1c: the keys first. Whatever happens after it, nothing that was sealed can be read again.
    parts.vault.erase_all()
    with parts.database.begin() as session:
        for table in reversed(tables):
            session.execute(delete(table))
    if not parts.database.is_sqlite:  # which overwrites what it deletes
        with parts.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM FULL")
    parts.vault.destroy()
    _wipe(parts)
    document = issue(parts.signer, _content(parts, end, rows))
    path = parts.settings.data / RECEIPT
    path.write_text(document + "\n", encoding="ascii")
    return path


def running_file(parts: Parts) -> Path:
    """Return the file that a running service holds a lock on."""
    return parts.settings.data / "running"


def _require_stopped(parts: Parts) -> None:
    file = os.open(running_file(parts), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConflictError("the service still runs: stop it first") from None
    finally:
        os.close(file)


def _wipe(parts: Parts) -> None:
    """Drop the tables; overwrite and remove all files of the service, wherever they are."""
    settings, engine = parts.settings, parts.database.engine
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    parts.vault.close()
    parts.database.close()
    files = [make_url(url).database for url in (settings.keys, settings.database) if url.startswith("sqlite")]
    for path in [*(Path(name) for name in files if name), settings.master_key, *settings.data.iterdir()]:
        if path.parent.is_dir():
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                erase_entry(folder, path.name)
            finally:
                os.close(folder)


def _content(parts: Parts, end: datetime, rows: dict[str, int]) -> dict[str, Any]:
    return {
        "format": TERMINATION,
        "issued": parts.clock().isoformat(timespec="seconds"),
        "ended": end.isoformat(timespec="seconds"),
        "keys": "destroyed",
        "erased": [{"what": name, "rows": count} for name, count in rows.items() if count],
        "archive": "none",
        "limits": list(LIMITS),
        "public_key": b64encode(parts.signer.public_bytes).decode(),
    }
