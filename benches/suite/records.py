"""The generated tables that workloads read; the same values for the same seed."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from suite.workload import MILLION, RECORDS

SEED: Final = 20260921
CENT: Final = pa.scalar(Decimal("0.01"))
WORDS: Final = (
    "Café", "naïve", "Übermut", "river", "Stone", "GREEN", "señor", "quick", "brown", "façade",
    "lantern", "Ångström", "winter", "paper", "crème", "signal", "harbor", "Zoë", "cloud", "ember",
)  # fmt: skip
DAY_FORMS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y", "%Y%m%d")


def write_tables(folder: Path, scale: float) -> dict[str, str]:
    """Write every table as one Parquet file and give their paths by name."""
    tables = {
        "records": records(scaled(RECORDS, scale)),
        "mixed": mixed(scaled(MILLION, scale)),
    }
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return {name: str(folder / f"{name}.parquet") for name in tables}


def scaled(rows: int, scale: float) -> int:
    """Give the number of rows of an input at this scale."""
    return max(1, int(rows * scale))


def records(rows: int) -> pa.Table:
    """Make the text records that the ten functions read."""
    columns = {
        name: [make(random) for _ in range(rows)]
        for name, make in COLUMNS.items()
        for random in [Random(f"{SEED}:{name}")]
    }
    return pa.table({"id": range(rows), **columns})


def mixed(rows: int) -> pa.Table:
    """Make five columns of five types; each word has twenty characters."""
    random = np.random.Generator(np.random.PCG64(SEED))
    letters = random.integers(ord("a"), ord("z") + 1, (rows, 20), dtype=np.uint8)
    words = pa.Array.from_buffers(pa.binary(20), rows, [None, pa.py_buffer(letters.tobytes())])
    cents = pa.array(random.integers(0, 10**6, rows)).cast(pa.decimal128(19, 0))
    moments = pa.array(random.integers(0, 2**50, rows), pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "share": random.random(rows),
            "word": words.cast(pa.binary()).cast(pa.string()),
            "amount": pc.multiply(cents, CENT).cast(pa.decimal128(12, 2)),
            "moment": moments,
        }
    )


def _line(random: Random) -> str:
    if random.random() < 0.01:
        return "-- log rotated --"
    address = ".".join(str(random.randint(1, 254)) for _ in range(4))
    moment = f"{random.randint(1, 28):02}/Oct/2026:{random.randint(0, 23):02}:17:08 +0000"
    method = random.choice(("GET", "POST", "PUT", "DELETE"))
    path = f"/{random.choice(WORDS[3:6])}/{random.randint(1, 9999)}?page={random.randint(1, 40)}"
    tail = f'{random.choice((200, 304, 404, 500))} {random.randint(0, 90000)} "Mozilla/5.0"'
    return f'{address} - - [{moment}] "{method} {path} HTTP/1.1" {tail}'


def _prose(random: Random) -> str:
    gap = random.choice((" ", "  ", ", "))
    return " " + gap.join(random.choices(WORDS, k=random.randint(4, 12))) + "! "


def _day(random: Random) -> str:
    if random.random() < 0.02:
        return "not a date"
    day = date(1990, 1, 1) + timedelta(days=random.randint(0, 14000))
    return day.strftime(random.choice(DAY_FORMS))


def _url(random: Random) -> str:
    port = random.choice(("", "", ":8080", ":443"))
    host = f"www{random.randint(1, 99)}.example.{random.choice(('com', 'org', 'net'))}"
    path = "/".join(random.choices(("shop", "item", "user", "a", "b"), k=random.randint(1, 4)))
    return f"{random.choice(('http', 'https'))}://{host}{port}/{path}?id={random.randint(1, 10**6)}"


def _card(random: Random) -> str:
    digits = "".join(random.choices("0123456789", k=16))
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def _contact(random: Random) -> str:
    name = random.choice(("ann", "bo.li", "c-3", "dora"))
    phone = f"+{random.randint(1, 99)} {random.randint(100, 999)} {random.randint(10**5, 10**7)}"
    account = f"DE{random.randint(10, 99)}{random.randint(10**15, 10**16 - 1)}"
    return f"write to {name}@mail.example.com or call {phone}; card {_card(random)}, {account}"


def _document(random: Random) -> str:
    event = {
        "user": {"name": random.choice(WORDS), "id": random.randint(1, 10**6)},
        "score": round(random.random() * 100, 3),
        "active": random.random() < 0.5,
        "tags": random.choices(WORDS, k=random.randint(0, 4)),
    }
    text = json.dumps(event, ensure_ascii=False)
    return text[:-3] if random.random() < 0.01 else text


COLUMNS: Final[dict[str, Callable[[Random], object]]] = {
    "line": _line,
    "prose": _prose,
    "day": _day,
    "url": _url,
    "card": _card,
    "contact": _contact,
    "document": _document,
    "amount": lambda random: round(random.uniform(1, 900), 2),
    "quantity": lambda random: random.randint(1, 20),
    "tier": lambda random: random.choice(("gold", "silver", "none")),
    "country": lambda random: random.choice(("DE", "FR", "CH", "US")),
}
