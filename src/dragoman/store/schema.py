"""The tables. What a change here needs besides: a migration that makes the same change.

Times are UTC in milliseconds since the Unix epoch, as integers: both databases keep those alike
and none of them guesses a time zone. Columns named `sealed` hold `SecretBox.encrypt`ed text.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
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
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    Column("budgets", JSON),
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

# SQLite's row id is the primary key itself only where its type is spelt INTEGER.
_row_id = BigInteger().with_variant(Integer, "sqlite")

# One row for each request. Names are copied, since a row outlives what it names. Null counts are
# those that nobody told; `cost` is in billionths of a dollar, null where the price is unknown.
# `failures` holds the attempts before the last one, `asked` the requested name where it is not
# simply `provider:model`.
requests = Table(
    "requests",
    metadata,
    Column("id", _row_id, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("key_id", Text),
    Column("key_name", Text),
    Column("client", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("upstream_protocol", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("asked", Text),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("input_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("cache_write_long_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("searches", BigInteger),
    Column("first_byte_ms", BigInteger),
    Column("duration_ms", BigInteger, nullable=False),
    Column("cost", BigInteger),
    Column("price", Text),
    Column("failures", JSON, nullable=False),
    Column("dropped", JSON, nullable=False),
)
Index("ix_requests_started_at", requests.c.started_at)
Index("ix_requests_request_id", requests.c.request_id)
Index("ix_requests_key_id_started_at", requests.c.key_id, requests.c.started_at)
Index(
    "ix_requests_provider_model_started_at",
    requests.c.provider,
    requests.c.model,
    requests.c.started_at,
)
_failed = text("error IS NOT NULL")
Index(
    "ix_requests_failed_started_at",
    requests.c.started_at,
    sqlite_where=_failed,
    postgresql_where=_failed,
)

# What was said, where the owner wants it kept. All four are sealed.
request_bodies = Table(
    "request_bodies",
    metadata,
    Column("request", _row_id, ForeignKey("requests.id", ondelete="CASCADE"), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("client_request", LargeBinary),
    Column("upstream_request", LargeBinary),
    Column("upstream_response", LargeBinary),
    Column("client_response", LargeBinary),
)
Index("ix_request_bodies_started_at", request_bodies.c.started_at)

# Sums of `requests`, kept in the same transactions: a `span` of an hour and one of a day (in
# milliseconds), each from `begins_at` on. They outlive the rows that they were made of. Empty text
# stands for what a request did not get to: a key, a provider, a model.
usage_sums = Table(
    "usage_sums",
    metadata,
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("begins_at", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("unpriced", BigInteger, nullable=False),
    Column("unmetered", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("cache_write_long_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("searches", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Histograms of how long successful requests took, beside the sums; `store.histogram` numbers the
# buckets.
usage_latencies = Table(
    "usage_latencies",
    metadata,
    Column("span", BigInteger, primary_key=True, autoincrement=False),
    Column("begins_at", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Turns that clients may go on from by id. `sealed` holds what was said and answered, `size` its
# bytes; `previous_id` is no foreign key, since a chain may outlive its beginning (and is then not
# given out any more).
responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("previous_id", Text),
    Column("sealed", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
)
Index("ix_responses_used_at", responses.c.used_at)
