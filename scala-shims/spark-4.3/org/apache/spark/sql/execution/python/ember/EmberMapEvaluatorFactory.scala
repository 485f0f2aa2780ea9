package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.{PartitionEvaluator, PartitionEvaluatorFactory, TaskContext}
import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, UnsafeProjection}
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/**
 * A partition through `mapInPandas` or `mapInArrow`. Rows go in as one struct column and come out as one, whose
 * children are the output by position.
 */
final class EmberMapEvaluatorFactory(
    output: Seq[Attribute],
    functions: Seq[(ChainedPythonFunctions, Long)],
    inputSchema: StructType,
    outputType: DataType,
    node: NodeConf)
    extends PartitionEvaluatorFactory[InternalRow, InternalRow] {

  override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] = new MapEvaluator

  private final class MapEvaluator extends PartitionEvaluator[InternalRow, InternalRow] {
    override def eval(
        partition: Int,
        inputs: Iterator[InternalRow]*): Iterator[InternalRow] = {
      val context = TaskContext.get()
      val wrapped = inputs.head.map(InternalRow(_))
      val runner = new EmberMapRunner(functions, new StructType().add("struct", inputSchema), node)
      val toUnsafe = UnsafeProjection.create(output, output)
      runner
        .compute(Iterator(wrapped), context.partitionId(), context)
        .flatMap { batch =>
          if (SQLConf.get.pysparkArrowValidateSchema) checkType(batch.column(0).dataType())
          flattened(batch).rowIterator.asScala
        }
        .map(toUnsafe)
    }
  }

  private def flattened(batch: ColumnarBatch): ColumnarBatch = {
    val struct = batch.column(0).asInstanceOf[ArrowColumnVector]
    val children = output.indices.map(struct.getChild(_): ColumnVector).toArray
    val flat = new ColumnarBatch(children)
    flat.setNumRows(batch.numRows())
    flat
  }

  private def checkType(actual: DataType): Unit =
    if (!DataType.equalsIgnoreCompatibleNullability(actual, outputType)) {
      throw QueryExecutionErrors.arrowDataTypeMismatchError(
        PythonEvalType.toString(node.evalType),
        Seq(outputType),
        Seq(actual))
    }
}
