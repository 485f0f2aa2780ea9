package dev.ember.exec

import org.apache.spark.sql.connector.catalog.transactions.Transaction
import org.apache.spark.sql.connector.write.Write
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2.{
  OverwriteByExpressionExec => SparkOverwriteByExpressionExec
}
import org.apache.spark.sql.execution.python.ember.EmberDataSourceWrite

/** Spark's node that overwrites a data source in Python. Equality as in [[ArrowEvalPythonExec]]. */
class OverwriteByExpressionExec(
    rows: SparkPlan,
    refresh: () => Unit,
    target: Write,
    named: String,
    within: Option[Transaction])
    extends SparkOverwriteByExpressionExec(rows, refresh, target, named, within)
    with EmberDataSourceWrite {
  override protected def withNewChildInternal(newChild: SparkPlan): OverwriteByExpressionExec =
    new OverwriteByExpressionExec(newChild, refreshCache, write, tableName, transaction)

  override def withTransaction(transaction: Option[Transaction]): OverwriteByExpressionExec =
    new OverwriteByExpressionExec(query, refreshCache, write, tableName, transaction)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[OverwriteByExpressionExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
