"""How the tables came to their form; Alembic runs what is in ``versions``."""
