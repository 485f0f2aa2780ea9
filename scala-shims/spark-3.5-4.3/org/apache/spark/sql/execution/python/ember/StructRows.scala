package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, UnsafeProjection}
import org.apache.spark.sql.types.{DataType, Metadata, StructField, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/**
 * Results that are one struct column, whose children are the output by position.
 *
 * @param check
 *   throws Spark's error if the kind refuses a column of this type
 */
private[ember] final class StructRows(output: Seq[Attribute], check: DataType => Unit)
    extends RowOutput
    with Serializable {
  @transient private lazy val toUnsafe = UnsafeProjection.create(output, output)
  private val wanted = StructType(output.map(it => StructField("", it.dataType)))

  override def comesAsRows(actual: Seq[DataType]): Boolean = {
    actual.foreach(check)
    actual match {
      case Seq(struct: StructType) =>
        stored.nonEmpty &&
        DataType.equalsIgnoreNullability(
          OutputTypes.stored(StructType(struct.map(anonymous))),
          OutputTypes.stored(wanted))
      case _ => false
    }
  }

  override def convert(
      batch: ColumnarBatch,
      inputs: Option[Iterator[InternalRow]]): Iterator[InternalRow] =
    columns(batch).rowIterator.asScala.map(toUnsafe)

  private def columns(batch: ColumnarBatch): ColumnarBatch = {
    check(batch.column(0).dataType())
    StructRows.flattened(batch, output.length)
  }

  /** The columns that rows would have been made of, each of the declared type. */
  def asColumns(batch: ColumnarBatch): ColumnarBatch = {
    val read = columns(batch)
    val asDeclared = output.zipWithIndex.forall { case (column, index) =>
      val actual = read.column(index)
      actual.dataType() == column.dataType && (column.nullable || !actual.hasNull)
    }
    if (asDeclared) read else throughRows(read)
  }

  /** What is read of another type, or under a null that was not declared, only Spark's code for rows knows. */
  private def throughRows(read: ColumnarBatch): ColumnarBatch = {
    val rows = read.rowIterator.asScala.map(toUnsafe)
    new RowsAsColumns(rows, named, read.numRows()).next()
  }

  /** The output as rows store it; nothing if native code does not know its types. */
  def stored: Option[StructType] = RowForm.stored(named)

  def named: StructType =
    StructType(output.map(it => StructField(it.name, it.dataType, it.nullable)))

  private def anonymous(field: StructField): StructField =
    field.copy(name = "", metadata = Metadata.empty)
}

private[ember] object StructRows {

  /** The first children of a batch's one column of structs. */
  def flattened(batch: ColumnarBatch, columns: Int): ColumnarBatch =
    flattened(batch.column(0).asInstanceOf[ArrowColumnVector], batch.numRows(), columns)

  /** The first children of a column of structs, which has so many rows. */
  def flattened(struct: ArrowColumnVector, rows: Int, columns: Int): ColumnarBatch = {
    val flat = new ColumnarBatch(Array.tabulate[ColumnVector](columns)(struct.getChild))
    flat.setNumRows(rows)
    flat
  }
}
