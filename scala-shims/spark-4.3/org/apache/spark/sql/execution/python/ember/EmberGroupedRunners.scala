package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.{ArrowType, Field, FieldType, Schema}

import org.apache.spark.TaskContext
import org.apache.spark.api.python.ChainedPythonFunctions
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, GroupedPythonArrowInput}
import org.apache.spark.sql.execution.python.{
  ArrowPythonWithNamedArgumentRunner,
  RowInputArrowPythonRunner
}
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.RowBatches

/**
 * Runners of functions over groups. Spark sends a stream for each group; here batches hold many groups, and a
 * column more that tells them apart. Whoever calls `compute` wants Spark's way.
 */
private[ember] trait EmberGroupedRunner
    extends RowInputArrowPythonRunner
    with GroupedPythonArrowInput
    with EmbeddedRunner {
  override protected def batchLimits: Option[RowBatches.Limits] =
    Some(RowBatches.Limits(maxRecordsPerBatch, maxBytesPerBatch))

  override protected def sent(columns: Schema): Schema = {
    val pieces = new Field("pieces", FieldType.notNullable(new ArrowType.Int(32, true)), null)
    new Schema((columns.getFields.asScala :+ pieces).asJava, columns.getCustomMetadata)
  }

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = stock(input, partition, context)
}

/** For `applyInPandas` and `applyInArrow`. */
private[ember] final class EmberGroupedMapRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    offsets: Array[Int],
    inputSchema: StructType,
    node: NodeConf)
    extends ArrowPythonRunner(
      functions,
      node.evalType,
      Array(offsets),
      inputSchema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.session)
    with EmberGroupedRunner {
  override protected def functionNames: Seq[String] = node.functions
}

/** For functions over the columns of a group. */
private[ember] final class EmberGroupedEvalRunner(
    functions: Seq[(ChainedPythonFunctions, Long)],
    arguments: Array[Array[ArgumentMetadata]],
    inputSchema: StructType,
    node: NodeConf)
    extends ArrowPythonWithNamedArgumentRunner(
      functions,
      node.evalType,
      arguments,
      inputSchema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.session)
    with EmberGroupedRunner {
  override protected def functionNames: Seq[String] = node.functions
}
