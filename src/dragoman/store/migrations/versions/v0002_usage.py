"""The record of requests: a row for each, bodies where wanted, sums and latencies by time."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _create_requests()
    _create_bodies()
    op.create_table(
        "usage_sums",
        sa.Column("span", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("begins_at", sa.BigInteger, autoincrement=False, nullable=False),
        *_texts("key_id", "provider", "model"),
        *_counts("requests", "errors", "unpriced", "unmetered"),
        *_counts("input_tokens", "cache_read_tokens", "cache_write_tokens"),
        *_counts("cache_write_long_tokens", "output_tokens", "reasoning_tokens", "searches"),
        *_counts("duration_ms", "cost"),
        sa.PrimaryKeyConstraint(
            "span", "begins_at", "key_id", "provider", "model", name="pk_usage_sums"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_latencies",
        sa.Column("span", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("begins_at", sa.BigInteger, autoincrement=False, nullable=False),
        *_texts("provider", "model", "measure"),
        sa.Column("bucket", sa.Integer, autoincrement=False, nullable=False),
        *_counts("requests"),
        sa.PrimaryKeyConstraint(
            "span",
            "begins_at",
            "provider",
            "model",
            "measure",
            "bucket",
            name="pk_usage_latencies",
        ),
        sqlite_with_rowid=False,
    )


def _create_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        *_texts("request_id"),
        *_texts("key_id", "key_name", nullable=True),
        *_texts("client", "operation", "protocol"),
        *_texts("upstream_protocol", "provider", "model", "asked", nullable=True),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("error", nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_counts("input_tokens", "cache_read_tokens", "cache_write_tokens", nullable=True),
        *_counts("cache_write_long_tokens", "output_tokens", "reasoning_tokens", nullable=True),
        *_counts("searches", "first_byte_ms", nullable=True),
        *_counts("duration_ms"),
        *_counts("cost", nullable=True),
        *_texts("price", nullable=True),
        sa.Column("failures", sa.JSON, nullable=False),
        sa.Column("dropped", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    for columns in (
        ("started_at",),
        ("request_id",),
        ("key_id", "started_at"),
        ("provider", "model", "started_at"),
    ):
        op.create_index(f"ix_requests_{'_'.join(columns)}", "requests", list(columns))
    failed = sa.text("error IS NOT NULL")
    op.create_index(
        "ix_requests_failed_started_at",
        "requests",
        ["started_at"],
        sqlite_where=failed,
        postgresql_where=failed,
    )


def _create_bodies() -> None:
    views = ("client_request", "upstream_request", "upstream_response", "client_response")
    op.create_table(
        "request_bodies",
        sa.Column("request", _ROW_ID, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.LargeBinary) for name in views),
        sa.PrimaryKeyConstraint("request", name="pk_request_bodies"),
        sa.ForeignKeyConstraint(
            ["request"],
            ["requests.id"],
            name="fk_request_bodies_request",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_request_bodies_started_at", "request_bodies", ["started_at"])


def _texts(*names: str, nullable: bool = False) -> Iterable[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]


def _counts(*names: str, nullable: bool = False) -> Iterable[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]
