package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.execution.python.{
  FlatMapCoGroupsInPandasExec,
  FlatMapGroupsInPandasExec,
  MapInBatchExec
}

/** Spark's nodes of `mapInPandas` and `mapInArrow`. */
trait MapNode extends MapInBatchExec {

  /** Spark 3.5 asks for none. */
  protected final def resources: Option[ResourceProfile] = None
}

/** That of `applyInPandas`. */
trait GroupsNode extends FlatMapGroupsInPandasExec {
  protected final def pythonEvalType: Int = PythonEvalType.SQL_GROUPED_MAP_PANDAS_UDF
}

/** That over cogroups. */
trait CogroupsNode extends FlatMapCoGroupsInPandasExec {
  protected final def pythonEvalType: Int = PythonEvalType.SQL_COGROUPED_MAP_PANDAS_UDF

  /** Its runner in Spark 3.5 knows no other. */
  protected final def sentLargeVarTypes: Boolean = false
}
