package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.BasePythonRunner
import org.apache.spark.sql.internal.SQLConf

/** Whether a runner's functions are profiled: 4.1 tells its runners, and they keep it to themselves. */
trait ProfiledRunner { self: BasePythonRunner[_, _] =>
  private[ember] def profiled: Boolean = SQLConf.get.pythonUDFProfiler.nonEmpty
}
