package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{GenericInternalRow, UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types.{BinaryType, DataType}

import dev.ember.rows.{InputRows, PageWriter}

/**
 * Rows in batches of whole groups, where Spark sends group by group: as many as come quickly. A batch is not
 * seen by functions, but how many rows were worked on before the first result is.
 */
private[ember] final class PickledInput(
    rows: Iterator[InternalRow],
    groupRows: Int,
    group: PickledInput.Group)
    extends InputRows {
  override def fill(input: PageWriter, arguments: PageWriter): Option[Int] =
    if (rows.hasNext) {
      input.begin()
      arguments.begin()
      Some(filled(input, arguments))
    } else None

  private def filled(input: PageWriter, arguments: PageWriter): Int = {
    val begun = System.nanoTime()
    var count = 0
    do count += group.write(rows, groupRows, input, arguments)
    while (count + groupRows <= PickledInput.MostRows && input.bytes + arguments.bytes < PickledInput.MostBytes &&
        System.nanoTime() - begun < PickledInput.Patience && rows.hasNext)
    count
  }

  override def close(): Unit = ()
}

private[ember] object PickledInput {
  private val MostRows = 10000
  private val MostBytes = 4L << 20
  private val Patience = 5000000L

  /** Writes the next rows, at most `most`; how many they were. */
  trait Group {
    def write(rows: Iterator[InternalRow], most: Int, input: PageWriter, arguments: PageWriter): Int
  }

  /** Arguments are columns: of the input, or of rows of their own. */
  final class Columns(
      toInput: InternalRow => UnsafeRow,
      toArguments: Option[InternalRow => UnsafeRow])
      extends Group {
    private val own = toArguments.orNull

    override def write(
        rows: Iterator[InternalRow],
        most: Int,
        input: PageWriter,
        arguments: PageWriter): Int = {
      var count = 0
      while (count < most && rows.hasNext) {
        val row = rows.next()
        input.append(toInput(row))
        if (own != null) arguments.append(own(row))
        count += 1
      }
      count
    }
  }

  /**
   * Arguments are Spark's own pickles of them.
   *
   * @param pickles
   *   the pickles of rows
   */
  final class Pickles(
      toInput: InternalRow => UnsafeRow,
      toArguments: InternalRow => UnsafeRow,
      pickles: Iterator[InternalRow] => Iterator[Array[Byte]])
      extends Group {
    private val toUnsafe = UnsafeProjection.create(Array[DataType](BinaryType))

    override def write(
        rows: Iterator[InternalRow],
        most: Int,
        input: PageWriter,
        arguments: PageWriter): Int = {
      var count = 0
      val asked = rows.take(most).map { row =>
        input.append(toInput(row))
        count += 1
        toArguments(row)
      }
      val pickle = pickles(asked).next()
      arguments.append(toUnsafe(new GenericInternalRow(Array[Any](pickle))))
      val others = toUnsafe(new GenericInternalRow(Array[Any](null)))
      (1 until count).foreach(_ => arguments.append(others))
      count
    }
  }
}
