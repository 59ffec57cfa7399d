"""The tables. What a change here needs besides: a migration that makes the same change.

Times are UTC in milliseconds since the Unix epoch, as integers: both databases keep those alike
and none of them guesses a time zone. Columns named `sealed` hold `SecretBox.encrypt`ed text.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# `spec` is a provider's specification without what may hold a secret (keys, headers, proxy);
# that part is JSON too, but sealed.
providers = Table(
    "providers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

# Only the default key has a sealed copy; of the others nobody can show the key again.
gateway_keys = Table(
    "gateway_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("scopes", JSON, nullable=False),
    Column("models", JSON, nullable=False),
    Column("expires_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("rotated_at", BigInteger),
)

# No foreign key to `providers`: those of the configuration file have model lists too.
model_lists = Table(
    "model_lists",
    metadata,
    Column("provider_id", Text, primary_key=True),
    Column("models", JSON, nullable=False),
    Column("fetched_at", BigInteger),
    Column("error", Text),
    Column("error_at", BigInteger),
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)

# One row, made by the first migration. A process that remembers the revision it has read knows
# from one small query whether another process has changed anything since.
change_counter = Table(
    "change_counter",
    metadata,
    Column(
        "id",
        Integer,
        CheckConstraint("id = 1", name="one_row"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("revision", BigInteger, nullable=False),
)
