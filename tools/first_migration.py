"""Write service/migrations/versions/0001_first.py anew from the models, while nothing has been released.

python tools/first_migration.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from service.database import Database

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "service" / "migrations" / "versions" / "0001_first.py"


def main() -> int:
    """Write the file, and format it."""
    TARGET.unlink(missing_ok=True)
    config = Config()
    config.set_main_option("script_location", str(ROOT / "service" / "migrations"))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite")
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.revision(config, "The first tables", autogenerate=True, rev_id="0001")
        database.close()
    next(TARGET.parent.glob("0001*.py")).rename(TARGET)
    for step in (["format"], ["check", "--fix", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, TARGET], check=True)  # noqa: S603 (our own)
    return 0


if __name__ == "__main__":
    sys.exit(main())
