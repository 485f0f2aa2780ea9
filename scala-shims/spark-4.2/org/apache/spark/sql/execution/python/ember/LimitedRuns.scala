package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.execution.window.{WindowEvaluatorFactoryBase, WindowFunctionFrame}

/** How long the run of rows of a window may be. */
trait LimitedRuns { self: WindowEvaluatorFactoryBase =>
  protected final def checkSize(rows: Long, @unused frames: Array[WindowFunctionFrame]): Unit =
    checkPartitionSizeLimit(rows)
}
