"""The ledger's tables, as the newest migration leaves them."""

import sqlalchemy as sa

REVISION = "0009"
"""The newest migration."""

metadata = sa.MetaData()

note = sa.Table(
    "note",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("server", sa.String(500), nullable=False),
    sa.Column("pipeline", sa.String(64), nullable=False),
    sa.Column("source", sa.String(128), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("pipeline_version", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("detail", sa.String(200), nullable=False),
    sa.Column("composition", sa.String(64), nullable=False),
    sa.Column("sentences", sa.Integer(), nullable=False),
    sa.Column("text_sha256", sa.String(64), nullable=False),
    sa.Column("text_key", sa.String(64), nullable=False, server_default=""),
    sa.Column("declared_type", sa.String(100), nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("milliseconds", sa.Integer(), nullable=False),
    sa.Column("attempts", sa.Integer(), nullable=False),
    sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
    sa.UniqueConstraint("server", "pipeline", "source", name="one_row_per_source"),
    sa.Index("note_by_row", "server", "pipeline", "id"),
    sa.Index("note_by_text", "server", "pipeline", "text_key"),
    sa.Index("note_by_composition", "server", "pipeline", "composition"),
    sa.Index("note_by_status", "server", "pipeline", "status", "id"),
    sa.Index("note_by_retry", "server", "pipeline", "retry_at"),
    sa.Index("note_by_walk", "server", "pipeline", "seen_at", "id"),
    sa.Index("note_by_time", "server", "pipeline", "handled_at", "id", "status"),
    sa.Index("note_by_status_and_time", "server", "pipeline", "status", "handled_at", "id"),
    sa.Index("note_by_reason_and_time", "server", "pipeline", "status", "reason", "handled_at", "id"),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("server", sa.String(500), primary_key=True),
    sa.Column("pipeline", sa.String(64), primary_key=True),
    sa.Column("source", sa.String(128), primary_key=True),
    sa.Column("holder", sa.String(32), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Index("lease_by_holder", "server", "pipeline", "holder"),
)

watermark = sa.Table(
    "watermark",
    metadata,
    sa.Column("server", sa.String(500), primary_key=True),
    sa.Column("pipeline", sa.String(64), primary_key=True),
    sa.Column("resource_type", sa.String(64), primary_key=True),
    sa.Column("last_updated", sa.String(64), nullable=False),
)

backfill = sa.Table(
    "backfill",
    metadata,
    sa.Column("server", sa.String(500), primary_key=True),
    sa.Column("pipeline", sa.String(64), primary_key=True),
    sa.Column("walk", sa.String(64), primary_key=True),
    sa.Column("piece", sa.String(64), primary_key=True),
    sa.Column("place", sa.String(2000), nullable=False),
    sa.Column("finished", sa.Boolean(), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

card = sa.Table(
    "card",
    metadata,
    sa.Column("server", sa.String(500), primary_key=True),
    sa.Column("pipeline", sa.String(64), primary_key=True),
    sa.Column("uuid", sa.String(36), primary_key=True),
    sa.Column("compositions", sa.String(500), nullable=False),
    sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)

ended_session = sa.Table(
    "ended_session",
    metadata,
    sa.Column("session_sha256", sa.String(64), primary_key=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
)

launch = sa.Table(
    "launch",
    metadata,
    sa.Column("name_sha256", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("sealed", sa.LargeBinary(), nullable=False),
    sa.Column("serial", sa.Integer(), nullable=False),
    sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Index("launch_by_kind", "kind", "until"),
)
