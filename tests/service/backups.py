"""Backups of a server's database, made while it runs, and put back while it does not."""

import shutil
import sqlite3
from contextlib import closing


def backed_up(server, folder, request):
    """Make a backup of the database, as an operator would; return its bytes, and how to restore it."""
    url = server.environment.get("FACEKIT_DATABASE_URL")
    if url is None:
        copy = folder / "backup.sqlite"
        live = server.data / "facekit.sqlite"
        with closing(sqlite3.connect(live, timeout=30)) as of, closing(sqlite3.connect(copy)) as to:
            of.backup(to)
        return copy.read_bytes(), lambda: shutil.copy(copy, server.data / "facekit.sqlite")
    postgres, name = request.getfixturevalue("postgres"), url.split("/")[3].split("?")[0]
    dump = folder / "backup.sql"
    dump.write_text(postgres.run("pg_dump", "-h", postgres.base, "-U", "facekit", "--inserts", name))

    def restore():
        clean = "drop schema public cascade; create schema public"
        arguments = ("-h", postgres.base, "-U", "facekit", "-v", "ON_ERROR_STOP=1", "-d", name)
        postgres.run("psql", *arguments, "-c", clean)
        readable = postgres.base / "backup.sql"
        shutil.copy(dump, readable)
        readable.chmod(0o644)
        postgres.run("psql", *arguments, "-q", "-f", readable)

    return dump.read_bytes(), restore
