"""Brings a database to the schema of this program, one numbered step after the other.

The steps are the files of `versions`, named `vNNNN_what.py`, in one unbranched line. Which of
them exist is read from the file names, so that a start with nothing to do need not import
Alembic, which takes a fifth of a second.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

FOLDER = Path(__file__).parent
REVISIONS = tuple(sorted(file.name[1:5] for file in (FOLDER / "versions").glob("v*.py")))
HEAD = REVISIONS[-1]

# Alembic's own table; the name and the column are part of its documented behaviour.
_alembic_version = Table("alembic_version", MetaData(), Column("version_num", Text))


def current(connection: Connection) -> str | None:
    """The revision that the database has reached; None for an empty one."""
    if not inspect(connection).has_table(_alembic_version.name):
        return None
    return connection.execute(select(_alembic_version.c.version_num)).scalar_one_or_none()


def upgrade(connection: Connection) -> None:
    """Runs the missing steps within the transaction that `connection` is in."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
