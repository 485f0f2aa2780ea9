"""How a child process takes its orders: JSON lines in, one line out for each."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

Order = dict[str, Any]
Verb = Callable[[Order], Order]


def serve(verbs_for: Callable[[Order], dict[str, Verb]]) -> None:
    """Read the first order, which says what to be, and answer those that follow until they end.

    An order that fails is answered with ``failed``, and the next one is waited for.
    """
    # What Spark prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    verbs = verbs_for(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_answer(verbs, order)), file=answers, flush=True)


def _answer(verbs: dict[str, Verb], order: Order) -> Order:
    try:
        return verbs[order["verb"]](order)
    except Exception as error:  # noqa: BLE001 - whatever it is, the near end decides what follows
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
