package org.apache.spark.sql.execution.python.ember

import scala.annotation.unused

import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  AggregateInPandasExec,
  FlatMapGroupsInPandasWithStateExec
}
import org.apache.spark.sql.execution.streaming.StateStoreWriter

/** What of Spark's nodes is otherwise in another line. */
object SparkNodes {
  type Aggregate = AggregateInPandasExec

  /** What the functions of an aggregate are, and of a window: the nodes have no other. */
  val AggregateType: Int = PythonEvalType.SQL_GROUPED_AGG_PANDAS_UDF
  val WindowType: Int = PythonEvalType.SQL_WINDOW_AGG_PANDAS_UDF

  /** Scalar kinds that return one batch of as many rows for each batch: a join holds no more than that. */
  val OneForOne: Set[Int] =
    Set(PythonEvalType.SQL_ARROW_BATCHED_UDF, PythonEvalType.SQL_SCALAR_PANDAS_UDF)

  /** Whether a node keeps state, whoever its functions are. */
  def keepsState(plan: SparkPlan): Boolean = plan.isInstanceOf[StateStoreWriter]

  /** Whether its functions are Python's. */
  def keepsStateOfPython(plan: SparkPlan): Boolean =
    plan.isInstanceOf[FlatMapGroupsInPandasWithStateExec]

  /** The session whose workers' output is to be captured: 3.5 captures none. */
  def loggedSession(@unused plan: SparkPlan): Option[String] = None
}
