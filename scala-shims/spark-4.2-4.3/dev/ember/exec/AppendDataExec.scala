package dev.ember.exec

import org.apache.spark.sql.connector.catalog.transactions.Transaction
import org.apache.spark.sql.connector.write.Write
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2.{AppendDataExec => SparkAppendDataExec}
import org.apache.spark.sql.execution.python.ember.EmberDataSourceWrite

/** Spark's node that appends to a data source in Python. Equality as in [[ArrowEvalPythonExec]]. */
class AppendDataExec(
    rows: SparkPlan,
    refresh: () => Unit,
    target: Write,
    named: String,
    within: Option[Transaction])
    extends SparkAppendDataExec(rows, refresh, target, named, within)
    with EmberDataSourceWrite {
  override protected def withNewChildInternal(newChild: SparkPlan): AppendDataExec =
    new AppendDataExec(newChild, refreshCache, write, tableName, transaction)

  override def withTransaction(transaction: Option[Transaction]): AppendDataExec =
    new AppendDataExec(query, refreshCache, write, tableName, transaction)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[AppendDataExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
