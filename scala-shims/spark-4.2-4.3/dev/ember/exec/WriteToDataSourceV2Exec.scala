package dev.ember.exec

import org.apache.spark.sql.connector.catalog.transactions.Transaction
import org.apache.spark.sql.connector.metric.CustomMetric
import org.apache.spark.sql.connector.write.BatchWrite
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2.{
  WriteToDataSourceV2Exec => SparkWriteToDataSourceV2Exec
}
import org.apache.spark.sql.execution.python.ember.EmberDataSourceWrite

/** Spark's node that writes a micro-batch to a data source in Python. Equality as in [[ArrowEvalPythonExec]]. */
class WriteToDataSourceV2Exec(
    target: BatchWrite,
    refresh: () => Unit,
    rows: SparkPlan,
    counted: Seq[CustomMetric],
    within: Option[Transaction])
    extends SparkWriteToDataSourceV2Exec(target, refresh, rows, counted, within)
    with EmberDataSourceWrite {
  override protected def withNewChildInternal(newChild: SparkPlan): WriteToDataSourceV2Exec =
    new WriteToDataSourceV2Exec(batchWrite, refreshCache, newChild, writeMetrics, transaction)

  override def withTransaction(transaction: Option[Transaction]): WriteToDataSourceV2Exec =
    new WriteToDataSourceV2Exec(batchWrite, refreshCache, query, writeMetrics, transaction)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[WriteToDataSourceV2Exec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
