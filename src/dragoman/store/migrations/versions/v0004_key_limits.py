"""What a gateway key may use: requests and tokens a minute, requests at once, budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("rpm", "tpm", "concurrency"):
        op.add_column("gateway_keys", sa.Column(name, sa.Integer))
    op.add_column("gateway_keys", sa.Column("budgets", sa.JSON))
