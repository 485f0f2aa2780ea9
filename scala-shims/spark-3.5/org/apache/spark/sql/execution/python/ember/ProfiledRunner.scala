package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.BasePythonRunner

/** Whether a runner's functions are profiled: 3.5 does not tell its runners. */
trait ProfiledRunner { self: BasePythonRunner[_, _] =>
  private[ember] def profiled: Boolean = false
}
