from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import BigInteger, inspect

from dragoman.store.schema import metadata


async def test_migrations_arrive_at_exactly_these_tables(database):
    def differences(connection):
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_constraints_have_the_names_of_the_convention(database):
    """Alembic does not compare primary keys and checks."""

    def constraints(connection):
        inspector = inspect(connection)
        return {
            table: (
                inspector.get_pk_constraint(table)["name"],
                [check["name"] for check in inspector.get_check_constraints(table)],
            )
            for table in metadata.tables
        }

    async with database.read() as connection:
        found = await connection.run_sync(constraints)
    assert found == {
        table: (f"pk_{table}", ["ck_change_counter_one_row"] if table == "change_counter" else [])
        for table in metadata.tables
    }


def test_times_hold_milliseconds_until_long_after_us():
    for table in metadata.tables.values():
        for column in table.columns:
            if column.name.endswith("_at"):
                assert isinstance(column.type, BigInteger), column
