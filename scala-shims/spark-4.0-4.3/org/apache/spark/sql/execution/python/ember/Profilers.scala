package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.internal.SQLConf

/** By which profiler Spark's workers profile functions. */
private[ember] object Profilers {
  def of(conf: SQLConf): Option[String] = conf.pythonUDFProfiler
}
