package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.{ArrowType, Field, FieldType, Schema}

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.{InputRows, RowBatches}

/**
 * Runners of functions over groups. Spark sends a stream for each group; here batches hold many groups, and a
 * column more that tells them apart. Whoever calls `compute` wants Spark's way.
 */
private[ember] trait EmberGroupedRunner extends GroupedRows with EmbeddedRunner {
  override private[ember] def batchLimits: Option[RowBatches.Limits] = Some(limits)

  override protected def sent(columns: Schema): Schema = {
    val fields = columns.getFields.asScala :+ EmberGroupedRunner.Pieces
    new Schema(fields.asJava, columns.getCustomMetadata)
  }

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = stock(input, partition, context)
}

private[ember] object EmberGroupedRunner {

  /** The column that tells how rows fall into pieces of groups. */
  val Pieces = new Field("pieces", FieldType.notNullable(new ArrowType.Int(32, true)), null)
}

/** For `applyInPandas` and `applyInArrow`. */
private[ember] final class EmberGroupedMapRunner(
    functions: Seq[Chains.Chain],
    offsets: Array[Int],
    inputSchema: StructType,
    node: NodeConf)
    extends StockArrowRunner(functions, offsets, inputSchema, node)
    with EmberGroupedRunner {
  override protected def functionNames: Seq[String] = node.functions
}

/** For functions over the columns of a group. */
private[ember] final class EmberGroupedEvalRunner(
    functions: Seq[Chains.Chain],
    arguments: Array[Array[Chains.Argument]],
    inputSchema: StructType,
    node: NodeConf)
    extends StockArgumentsRunner(functions, arguments, inputSchema, node)
    with EmberGroupedRunner {
  override protected def functionNames: Seq[String] = node.functions
}

/** For `applyInPandas` and `applyInArrow` over cogroups: batches have the columns of both sides. */
private[ember] final class EmberCogroupedMapRunner(
    functions: Seq[Chains.Chain],
    offsets: Array[Int],
    leftSchema: StructType,
    rightSchema: StructType,
    node: NodeConf)
    extends StockCogroupedRunner(functions, offsets, leftSchema, rightSchema, node)
    with SessionRunner[(Iterator[InternalRow], Iterator[InternalRow]), ColumnarBatch] {
  override protected def functionNames: Seq[String] = node.functions

  /** It says how many of its columns are the left side's. */
  override protected def sentSchema: Schema = {
    val columns = fields(leftSchema) ++ fields(rightSchema) :+ EmberGroupedRunner.Pieces
    new Schema(columns.asJava, Map("left" -> leftSchema.length.toString).asJava)
  }

  private def fields(of: StructType): Seq[Field] =
    InputSchema.of(of, node.timeZone, node.largeVarTypes).getFields.asScala.toSeq

  private[ember] def embedRows(form: RowForm, output: RowOutput, context: TaskContext)(
      input: RowBatches.Limits => InputRows): Either[FallbackReason, Iterator[InternalRow]] =
    enterRows(form, output, context, context.partitionId())(input(GroupLimits.current))
}
