"""What the Ember nodes of an executed plan counted."""

from typing import Any

from pyspark.sql import DataFrame


def sessions(frame: DataFrame) -> dict[str, int]:
    """Ember's metrics that are not zero, summed over the nodes."""
    counted: dict[str, int] = {}
    todo: list[Any] = [frame._jdf.queryExecution().executedPlan()]
    while todo:
        node = todo.pop()
        name = node.getClass().getSimpleName()
        if name == "AdaptiveSparkPlanExec":
            todo.append(node.executedPlan())
            continue
        if name.endswith("QueryStageExec"):
            todo.append(node.plan())
        todo += [node.children().apply(index) for index in range(node.children().size())]
        keys = node.metrics().keys().toSeq()
        for key in (keys.apply(index) for index in range(keys.size())):
            if key.startswith("ember") and (value := node.metrics().apply(key).value()):
                counted[key] = counted.get(key, 0) + value
    return counted
