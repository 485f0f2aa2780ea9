"""Zones whose clocks were changed, and when: by an hour, by half of one, by a whole day."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta

ZONES = [
    "UTC", "America/Los_Angeles", "Europe/Berlin", "Europe/Dublin", "Asia/Kathmandu",
    "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns",
    "Africa/Monrovia", "Asia/Tehran",
]  # fmt: skip


def transitions(name: str) -> list[int]:
    """Return the seconds at which the clocks of a zone were or will be changed."""
    zone, found = zoneinfo.ZoneInfo(name), []
    day, epoch = 86_400, datetime(1970, 1, 1, tzinfo=UTC)

    def offset(second: int) -> timedelta | None:
        return (epoch + timedelta(seconds=second)).astimezone(zone).utcoffset()

    for start in range(-95 * 365 * day, 68 * 365 * day, 20 * day):
        before, after = start, start + 20 * day
        if offset(before) == offset(after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            same = offset(middle) == offset(before)
            before, after = (middle, after) if same else (before, middle)
        found.append(after)
    return found
