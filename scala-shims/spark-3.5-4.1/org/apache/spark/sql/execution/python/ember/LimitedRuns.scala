package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.execution.window.WindowFunctionFrame

/** How long the run of rows of a window may be: 4.1 and those before set no limit. */
trait LimitedRuns {
  protected final def checkSize(
      @unused rows: Long,
      @unused frames: Array[WindowFunctionFrame]): Unit = ()
}
