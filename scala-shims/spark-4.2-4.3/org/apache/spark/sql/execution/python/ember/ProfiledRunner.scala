package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.BasePythonRunner
import org.apache.spark.sql.internal.SQLConf

/** Whether a runner's functions are profiled. What reads and writes data sources has a profiler of its own. */
trait ProfiledRunner { self: BasePythonRunner[_, _] =>
  private[ember] def profiled: Boolean =
    Seq(SQLConf.PYTHON_UDF_PROFILER.key, "spark.sql.pyspark.dataSource.profiler")
      .exists(self.runnerConf.contains)
}
