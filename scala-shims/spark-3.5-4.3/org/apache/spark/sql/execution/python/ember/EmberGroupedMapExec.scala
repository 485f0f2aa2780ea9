package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.execution.python.PandasGroupUtils

/** `applyInPandas` and `applyInArrow` over groups: all but the way of the rows is Spark's node. */
trait EmberGroupedMapExec extends GroupsNode with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  /** Whether the function gets the columns as the fields of one. */
  protected def wrapped: Boolean

  override protected def doExecute(): RDD[InternalRow] = {
    val function = func.asInstanceOf[PythonUDF]
    val (asked, offsets) = PandasGroupUtils.resolveArgOffsets(child.output, groupingAttributes)
    val groups = new GroupedMap(
      groupingAttributes,
      child.output,
      asked,
      offsets,
      Seq(Chains.of(Seq(function.func), function.resultId)),
      output,
      wrapped,
      PythonNodes.nodeConf(this, pythonEvalType, pythonMetrics, artifacts, loggedSession))
    child.execute().mapPartitionsInternal(groups.eval)
  }
}
