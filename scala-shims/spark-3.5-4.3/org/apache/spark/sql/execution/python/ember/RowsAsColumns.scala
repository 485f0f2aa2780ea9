package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.RowToColumnConverter
import org.apache.spark.sql.execution.vectorized.{OnHeapColumnVector, WritableColumnVector}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.{ColumnarBatch, ColumnVector}

/** Rows in columns on the heap: so many to a batch, which is readable until the next is asked for. */
private[ember] final class RowsAsColumns(
    rows: Iterator[InternalRow],
    schema: StructType,
    batchRows: Int)
    extends Iterator[ColumnarBatch]
    with AutoCloseable {
  private val converter = new RowToColumnConverter(schema)
  private val vectors =
    OnHeapColumnVector.allocateColumns(batchRows, schema).map(identity[WritableColumnVector])
  private val batch = new ColumnarBatch(vectors.map(identity[ColumnVector]))

  override def hasNext: Boolean = rows.hasNext

  override def next(): ColumnarBatch = {
    batch.setNumRows(0)
    vectors.foreach(_.reset())
    var count = 0
    while (count < batchRows && rows.hasNext) {
      converter.convert(rows.next(), vectors)
      count += 1
    }
    batch.setNumRows(count)
    batch
  }

  override def close(): Unit = batch.close()
}
