package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, NamedExpression}
import org.apache.spark.sql.execution.ExternalAppendOnlyUnsafeRowArray
import org.apache.spark.sql.execution.aggregate.UpdatingSessionsIterator
import org.apache.spark.sql.internal.SQLConf

/** Rows that Spark keeps and spills: 4.0 counts them. */
private[ember] object SpilledRows {
  def ofWindow: ExternalAppendOnlyUnsafeRowArray = {
    val conf = SQLConf.get
    new ExternalAppendOnlyUnsafeRowArray(
      conf.windowExecBufferInMemoryThreshold,
      conf.windowExecBufferSpillThreshold)
  }

  /** The rows, told which session they fall into. */
  def inSessions(
      rows: Iterator[InternalRow],
      others: Seq[NamedExpression],
      session: NamedExpression,
      input: Seq[Attribute]): Iterator[InternalRow] = {
    val conf = SQLConf.get
    new UpdatingSessionsIterator(
      rows,
      others,
      session,
      input,
      conf.windowExecBufferInMemoryThreshold,
      conf.windowExecBufferSpillThreshold)
  }
}
