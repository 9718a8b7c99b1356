"""Sessions of the web pages that were ended before their time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "ended_session",
        sa.Column("session_sha256", sa.String(64), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Takes it away: a cookie that was signed out of holds again until its time."""
    op.drop_table("ended_session")
