package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.execution.window.{WindowEvaluatorFactoryBase, WindowFunctionFrame}

/** How long the run of rows of a window may be: 4.1 sets no limit. */
trait LimitedRuns { self: WindowEvaluatorFactoryBase =>
  protected final def checkSize(
      @unused rows: Long,
      @unused frames: Array[WindowFunctionFrame]): Unit = ()
}
