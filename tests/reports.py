"""What reports of tests were asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from bulkdcm.report import Asked

ASKED = Asked(manifest="m.csv", manifest_sha256="0" * 64, started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
