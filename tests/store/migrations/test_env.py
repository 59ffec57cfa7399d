from __future__ import annotations

from sqlalchemy import create_engine, event, inspect

from dragoman.store import migrations


def test_the_steps_run_on_the_connection_that_is_given_and_in_its_transaction(tmp_path):
    engine = create_engine(
        f"sqlite:///{tmp_path}/a.db",
        connect_args={"isolation_level": None},
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.connect() as connection:
        connection.begin()
        migrations.upgrade(connection)
        assert connection.in_transaction()
        assert inspect(connection).has_table("providers")
        connection.rollback()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
