package org.apache.spark.sql.execution.python.ember

import java.nio.ByteBuffer

import scala.jdk.CollectionConverters._

import net.razorvine.pickle.Unpickler

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  BoundReference,
  Expression,
  GenericInternalRow,
  JoinedRow,
  PythonUDF,
  UnsafeProjection
}
import org.apache.spark.sql.execution.python.EvaluatePython
import org.apache.spark.sql.types.{BinaryType, DataType, StructField, StructType}
import org.apache.spark.sql.vectorized.ColumnarBatch
import org.apache.spark.unsafe.Platform

import dev.ember.nativeapi.OutputPage

/** Rows with their results; or with pickles of them, which Spark's own code reads and converts. */
private[ember] final class PickledOutput(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    form: RowForm)
    extends RowOutput {
  private lazy val unpickler = new Unpickler
  private val alone = functions.length == 1
  private lazy val convert: Any => Any = EvaluatePython.makeFromJava(
    if (alone) functions.head.dataType
    else StructType(functions.map(each => StructField("", each.dataType, each.nullable))))

  private def inputs: Seq[Expression] = inputAttributes.zipWithIndex.map { case (column, index) =>
    BoundReference(index, column.dataType, column.nullable)
  }

  private def resultsFrom(first: Int): Seq[Expression] =
    functions.zipWithIndex.map { case (function, index) =>
      BoundReference(first + index, function.dataType, nullable = true)
    }

  /** From a joined row without results, and from the results. */
  private lazy val project: InternalRow => InternalRow =
    UnsafeProjection.create(inputs ++ resultsFrom(form.outputFields))

  /** From a joined row with its results; nothing if it is what Spark is to see. */
  private lazy val inOrder: Option[InternalRow => InternalRow] = {
    val results = resultsFrom(inputAttributes.length)
    val ordered = results.map(TableOrder.over(_, TableOrder.OfResults))
    if (ordered == results) None else Some(UnsafeProjection.create(inputs ++ ordered))
  }

  override def comesAsRows(actual: Seq[DataType]): Boolean = {
    val expected = form.output.map(_.dataType) :+ BinaryType
    if (actual != expected) {
      throw new IllegalStateException(s"columns of ${actual.mkString(", ")} came for $expected")
    }
    true
  }

  override def convert(
      batch: ColumnarBatch,
      inputs: Option[Iterator[InternalRow]]): Iterator[InternalRow] =
    throw new IllegalStateException("results always come as rows")

  override def read(rows: Iterator[InternalRow], page: OutputPage): Iterator[InternalRow] =
    if (page.pickledBytes == 0) inOrder.fold(rows)(rows.map(_))
    else {
      val bytes = page.pickledBytes
      val pickles = new Array[Byte](Math.toIntExact(bytes))
      Platform.copyMemory(null, page.pickles, pickles, Platform.BYTE_ARRAY_OFFSET.toLong, bytes)
      joined(rows, ByteBuffer.wrap(pickles))
    }

  private def joined(rows: Iterator[InternalRow], pickles: ByteBuffer): Iterator[InternalRow] = {
    val row = new JoinedRow
    val only = new GenericInternalRow(1)
    Iterator
      .continually(pickles)
      .takeWhile(_.hasRemaining)
      .flatMap(loaded)
      .map { result =>
        val converted = convert(result)
        val right =
          if (alone) {
            only(0) = converted
            only
          } else converted.asInstanceOf[InternalRow]
        project(row(rows.next(), right))
      }
  }

  private def loaded(pickles: ByteBuffer): Iterator[Any] = {
    pickles.getInt(): Unit // rows, which the pickle has as well
    val pickle = new Array[Byte](pickles.getInt())
    pickles.get(pickle): Unit
    unpickler.loads(pickle).asInstanceOf[java.util.ArrayList[Any]].iterator().asScala
  }
}
