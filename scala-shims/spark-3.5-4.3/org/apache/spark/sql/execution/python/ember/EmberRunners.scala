package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.types.StructType

import dev.ember.reason.FallbackReason
import dev.ember.rows.RowBatches

/** What every Python node tells its runner. */
final case class NodeConf(
    evalType: Int,
    timeZone: String,
    largeVarTypes: Boolean,
    runnerConf: Map[String, String],
    metrics: Map[String, SQLMetric],
    artifacts: Option[String],
    session: Option[String],
    profiler: Option[String],
    functions: Seq[String],
    deterministic: Boolean) {
  def count(key: String, amount: Long): Unit = metrics.get(key).foreach(_.add(amount))

  private[ember] def onSpark[Out](reason: FallbackReason)(
      compute: => Iterator[Out]): Iterator[Out] =
    StockRun(reason, functions, evalType, count)(compute)
}

/** For functions over the rows of a row-based child. */
final class EmberEvalRunner(
    functions: Seq[Chains.Chain],
    arguments: Array[Array[Chains.Argument]],
    inputSchema: StructType,
    node: NodeConf)
    extends StockArgumentsRunner(functions, arguments, inputSchema, node)
    with BatchedRows
    with EmbeddedRunner {
  override protected def functionNames: Seq[String] = node.functions

  override protected def mayMove: Boolean = node.deterministic

  override private[ember] def batchLimits: Option[RowBatches.Limits] = Some(limits)
}

/** For functions over a columnar child, whose batches they get as they are. */
final class EmberColumnarRunner(
    functions: Seq[Chains.Chain],
    arguments: Array[Array[Chains.Argument]],
    inputSchema: StructType,
    node: NodeConf)
    extends StockArgumentsRunner(functions, arguments, inputSchema, node)
    with EmbeddedRunner {
  override protected def functionNames: Seq[String] = node.functions

  override protected def mayMove: Boolean = node.deterministic

  override private[ember] def batchLimits: Option[RowBatches.Limits] = None
}

/** For `mapInPandas` and `mapInArrow`. */
final class EmberMapRunner(functions: Seq[Chains.Chain], inputSchema: StructType, node: NodeConf)
    extends StockArrowRunner(functions, Array(0), inputSchema, node)
    with BatchedRows
    with EmbeddedRunner {
  override protected def functionNames: Seq[String] = node.functions

  override private[ember] def batchLimits: Option[RowBatches.Limits] = Some(limits)
}
