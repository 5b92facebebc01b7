"""Runs migrations on the connection that `database.Database.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from service.database import Moment
from service.tables import Base


def _written(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write the service's own types as what they are in a database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=_written
)
with context.begin_transaction():
    context.run_migrations()
