package org.apache.spark.sql.execution.python.ember

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDF
import org.apache.spark.sql.execution.python.PandasGroupUtils

/** `applyInPandas` and `applyInArrow` over cogroups: all but the way of the rows is Spark's node. */
trait EmberCogroupedMapExec extends CogroupsNode with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)

  override protected def doExecute(): RDD[InternalRow] = {
    val function = func.asInstanceOf[PythonUDF]
    val (leftAsked, leftOffsets) = PandasGroupUtils.resolveArgOffsets(left.output, leftGroup)
    val (rightAsked, rightOffsets) = PandasGroupUtils.resolveArgOffsets(right.output, rightGroup)
    val cogroups = new CogroupedMap(
      CogroupedInput(leftGroup, left.output, leftAsked),
      CogroupedInput(rightGroup, right.output, rightAsked),
      leftOffsets ++ rightOffsets,
      Seq(Chains.of(Seq(function.func), function.resultId)),
      output,
      PythonNodes
        .nodeConf(this, pythonEvalType, pythonMetrics, artifacts, loggedSession)
        .copy(largeVarTypes = sentLargeVarTypes))
    left.execute().zipPartitions(right.execute())(cogroups.eval)
  }
}
