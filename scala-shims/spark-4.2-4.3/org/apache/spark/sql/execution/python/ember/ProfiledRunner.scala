package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.BasePythonRunner
import org.apache.spark.sql.internal.SQLConf

/** Whether a runner's functions are profiled. */
trait ProfiledRunner { self: BasePythonRunner[_, _] =>
  private[ember] def profiled: Boolean = self.runnerConf.contains(SQLConf.PYTHON_UDF_PROFILER.key)
}
