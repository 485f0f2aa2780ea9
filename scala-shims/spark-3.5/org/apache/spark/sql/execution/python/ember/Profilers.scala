package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.sql.internal.SQLConf

/** By which profiler Spark's workers profile functions: in 3.5 by none, a function that is profiled does it itself. */
private[ember] object Profilers {
  def of(@unused conf: SQLConf): Option[String] = None
}
