package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.InputRows
import dev.ember.rows.columns.InputColumns

/** In what form the output of a node goes on. */
private[ember] sealed trait OutputForm[Out] extends Serializable {
  def from(run: RowRun, input: InputRows): Iterator[Out]
  def from(run: ColumnRun, input: InputColumns): Iterator[Out]

  /** What Spark's own runner gave. */
  def from(rows: Iterator[InternalRow]): Iterator[Out]
}

private[ember] object OutputForm {

  case object Rows extends OutputForm[InternalRow] {
    override def from(run: RowRun, input: InputRows): Iterator[InternalRow] = run.start(input)
    override def from(run: ColumnRun, input: InputColumns): Iterator[InternalRow] = run.start(input)
    override def from(rows: Iterator[InternalRow]): Iterator[InternalRow] = rows
  }

  /**
   * For a node that would only take rows apart again. Batches end anywhere, and are readable until the next is
   * asked for.
   *
   * @param asDeclared
   *   makes columns of the declared types of a batch, or throws Spark's error
   */
  final class Columns(schema: StructType, asDeclared: ColumnarBatch => ColumnarBatch)
      extends OutputForm[ColumnarBatch] {
    override def from(run: RowRun, input: InputRows): Iterator[ColumnarBatch] =
      run.startColumns(input).map(asDeclared)

    override def from(run: ColumnRun, input: InputColumns): Iterator[ColumnarBatch] =
      run.startColumns(input).map(asDeclared)

    override def from(rows: Iterator[InternalRow]): Iterator[ColumnarBatch] =
      new RowsAsColumns(rows, schema, Columns.RowsOfABatch)
  }

  private object Columns {
    val RowsOfABatch = 1024
  }
}
