package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2._
import org.apache.spark.sql.execution.python.ember.{EmberDataSourceScan, EmberDataSourceWrite}
import org.apache.spark.sql.execution.python.ember.PythonNodes

import dev.ember.exec

/** Readers and writers of data sources in Python, of tables and of streams: functions of eval type 207. */
object DataSourceKind extends Kind {
  override def embed: PartialFunction[SparkPlan, SparkPlan] = Function.unlift { node =>
    if (PythonNodes.isDataSource(node)) reads.orElse(writes).lift(node) else None
  }

  private val reads: PartialFunction[SparkPlan, SparkPlan] = {
    case node: BatchScanExec if node.getClass == classOf[BatchScanExec] =>
      new exec.BatchScanExec(
        node.output,
        node.scan,
        node.runtimeFilters,
        node.ordering,
        node.table,
        node.keyGroupedPartitioning)
    case node: MicroBatchScanExec if node.getClass == classOf[MicroBatchScanExec] =>
      new exec.MicroBatchScanExec(
        node.output,
        node.scan,
        node.stream,
        node.start,
        node.end,
        node.keyGroupedPartitioning,
        node.ordering)
  }

  private val writes: PartialFunction[SparkPlan, SparkPlan] = {
    case node: AppendDataExec if node.getClass == classOf[AppendDataExec] =>
      new exec.AppendDataExec(
        node.query,
        node.refreshCache,
        node.write,
        node.tableName,
        node.transaction)
    case node: OverwriteByExpressionExec if node.getClass == classOf[OverwriteByExpressionExec] =>
      new exec.OverwriteByExpressionExec(
        node.query,
        node.refreshCache,
        node.write,
        node.tableName,
        node.transaction)
    case node: WriteToDataSourceV2Exec if node.getClass == classOf[WriteToDataSourceV2Exec] =>
      new exec.WriteToDataSourceV2Exec(
        node.batchWrite,
        node.refreshCache,
        node.query,
        node.writeMetrics,
        node.transaction)
  }

  override def isEmbedded(plan: SparkPlan): Boolean = plan match {
    case _: EmberDataSourceScan | _: EmberDataSourceWrite => true
    case _ => false
  }
}
