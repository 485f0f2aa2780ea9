package org.apache.spark.sql.execution.python.ember

import net.razorvine.pickle.Unpickler
import org.apache.arrow.vector.complex.ListVector

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.util.GenericArrayData
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.EvaluatePython
import org.apache.spark.sql.types.{ArrayType, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch}

/**
 * What a table function gave for each row: a list of structs, if there is a column of those, or a pickle of them,
 * which stands in the last column.
 *
 * @param declared
 *   the type of a row that it gives
 */
private[ember] final class PickledTableRows(declared: StructType, received: SQLMetric) {
  private lazy val unpickler = new Unpickler
  private lazy val convert = EvaluatePython.makeFromJava(ArrayType(declared, containsNull = false))
  private lazy val inOrder = TableOrder.overRows(declared.map(_.dataType), TableOrder.OfResults)

  def ofEachRow(batch: ColumnarBatch): Iterator[Iterator[InternalRow]] = {
    val pickles = batch.column(batch.numCols() - 1)
    lazy val lists = new Lists(batch)
    Iterator.range(0, batch.numRows()).map { row =>
      if (pickles.isNullAt(row)) lists(row) else loaded(pickles.getBinary(row))
    }
  }

  private def loaded(pickle: Array[Byte]): Iterator[InternalRow] = {
    val result = unpickler.loads(pickle).asInstanceOf[java.util.List[Any]].get(0)
    val rows = convert(result).asInstanceOf[GenericArrayData].array
    received.add(rows.length.toLong)
    rows.iterator.map(_.asInstanceOf[InternalRow])
  }

  private final class Lists(batch: ColumnarBatch) {
    private val lists =
      batch.column(0).asInstanceOf[ArrowColumnVector].getValueVector.asInstanceOf[ListVector]
    private val structs = lists.getDataVector
    private val flat = StructRows.flattened(
      new ArrowColumnVector(structs),
      structs.getValueCount,
      structs.getField.getChildren.size)

    def apply(row: Int): Iterator[InternalRow] = {
      val (first, end) = (lists.getElementStartIndex(row), lists.getElementEndIndex(row))
      received.add((end - first).toLong)
      val rows = Iterator.range(first, end).map(flat.getRow)
      inOrder.fold(rows)(rows.map(_))
    }
  }
}
