package org.apache.spark.sql.execution.python.ember

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.ArrowAggregatePythonExec
import org.apache.spark.sql.execution.python.streaming.{
  FlatMapGroupsInPandasWithStateExec,
  TransformWithStateInPySparkExec
}
import org.apache.spark.sql.execution.streaming.operators.stateful.StateStoreWriter

/** What of Spark's nodes is otherwise in another line. */
object SparkNodes {
  type Aggregate = ArrowAggregatePythonExec

  /** Scalar kinds that return one batch of as many rows for each batch: a join holds no more than that. */
  val OneForOne: Set[Int] = Set(
    PythonEvalType.SQL_ARROW_BATCHED_UDF,
    PythonEvalType.SQL_SCALAR_ARROW_UDF,
    PythonEvalType.SQL_SCALAR_PANDAS_UDF)

  /** Whether a node keeps state, whoever its functions are. */
  def keepsState(plan: SparkPlan): Boolean = plan.isInstanceOf[StateStoreWriter]

  /** Whether its functions are Python's. */
  def keepsStateOfPython(plan: SparkPlan): Boolean = plan match {
    case _: FlatMapGroupsInPandasWithStateExec | _: TransformWithStateInPySparkExec => true
    case _ => false
  }

  /** The session whose workers' output is to be captured. */
  def loggedSession(plan: SparkPlan): Option[String] =
    Option(plan.session).filter(_.sessionState.conf.pythonWorkerLoggingEnabled).map(_.sessionUUID)
}
