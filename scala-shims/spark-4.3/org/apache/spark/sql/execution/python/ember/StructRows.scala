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

  override def convert(batch: ColumnarBatch): Iterator[InternalRow] = {
    check(batch.column(0).dataType())
    StructRows.flattened(batch, output.length).rowIterator.asScala.map(toUnsafe)
  }

  /** The output as rows store it; nothing if its rows have to be read from columns. */
  def stored: Option[StructType] =
    RowForm
      .stored(StructType(output.map(it => StructField(it.name, it.dataType, it.nullable))))
      .filter(RowForm.nullsAllowed)

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
