"""The kind of function is read from headers as Spark 3.5 to 4.2 write them."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.serializers import write_int, write_long, write_with_length
from pyspark.sql.types import LongType

from ember_worker import headers
from protocol import PICKLED_ROW, header

if TYPE_CHECKING:
    from collections.abc import Callable

ENVELOPE = 8
FILES = "/folder of files"


def of_4_2(*, barrier: bool) -> bytes:
    """Return the fields that 4.3 has in an envelope."""
    broadcasts = ((3, "/of the third"), (5, "/of the fifth"))
    whole = header(
        PICKLED_ROW, abs, LongType(), files=FILES, broadcasts=broadcasts, barrier=barrier
    )
    return whole[ENVELOPE:]


def of_4_1(*, barrier: bool) -> bytes:
    """Return the same with the task's context in fields."""
    return in_fields(barrier=barrier, address=barrier)


def of_4_0(*, barrier: bool) -> bytes:
    """Return the same, in which the address of a barrier is never left out."""
    return in_fields(barrier=barrier, address=True)


def in_fields(*, barrier: bool, address: bool) -> bytes:
    whole = of_4_2(barrier=barrier)
    begin, end = whole.index(b'{"isBarrier'), whole.index(struct.pack("!i", len(FILES)))
    task = json.loads(whole[begin:end])
    return whole[: begin - 4] + fields(task, address=address) + whole[end:]


def fields(task: dict[str, Any], *, address: bool) -> bytes:
    out = io.BytesIO()
    out.write(struct.pack("!?", task["isBarrier"]))
    if address:
        write_int(-1, out)
        write_with_length(str(task.get("connInfo")).encode(), out)
    for name in ("stageId", "partitionId", "attemptNumber"):
        write_int(task[name], out)
    write_long(task["taskAttemptId"], out)
    write_int(task["cpus"], out)
    write_int(1, out)
    for text in ("gpu", "gpu"):
        write_with_length(text.encode(), out)
    write_int(2, out)
    for text in ("0", "1"):
        write_with_length(text.encode(), out)
    write_int(len(task["localProperties"]), out)
    for pair in task["localProperties"].items():
        for text in pair:
            write_with_length(text.encode(), out)
    return out.getvalue()


FORMS = {
    of_4_0: headers.task_behind_address,
    of_4_1: headers.task_as_fields,
    of_4_2: headers.task_as_text,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("barrier", [False, True])
def test_the_kind_stands_behind_the_task_and_what_it_brings(
    form: Callable[..., bytes],
    barrier: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert headers.eval_type(form(barrier=barrier), FORMS[form]) == PICKLED_ROW


@pytest.mark.parametrize("form", FORMS)
def test_half_a_header_has_no_kind(form: Callable[..., bytes]) -> None:
    whole = form(barrier=False)
    with pytest.raises((EOFError, struct.error)):
        headers.eval_type(whole[: whole.index(b"/of the third")], FORMS[form])
