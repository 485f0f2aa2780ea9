package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.execution.python.{ArrowEvalPythonUDTFExec, ArrowPythonUDTFRunner}
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.rows.RowBatches

/**
 * Spark's node for table functions with another runner. Each output batch belongs to one input row, or is what
 * the function had to say at its end, so batches are neither joined nor cut.
 */
trait EmberTableFunctionExec extends ArrowEvalPythonUDTFExec {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)
  private val node: NodeConf = PythonNodes
    .nodeConf(this, evalType, pythonMetrics, artifacts, loggedSession)
    .copy(functions = Seq(udtf.name))
  private val expected: Seq[DataType] = resultAttrs.map(it => OutputTypes.stored(it.dataType))

  override protected def evaluate(
      arguments: Array[ArgumentMetadata],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[Iterator[InternalRow]] =
    new EmberTableFunctionRunner(udtf, arguments, schema, node)
      .compute(Iterator(rows), context.partitionId(), context)
      .map(fields)

  /** The rows of a batch, which is one column of structs. */
  private def fields(batch: ColumnarBatch): Iterator[InternalRow] = {
    val flat = StructRows.flattened(batch, expected.length)
    val actual = expected.indices.map(flat.column(_).dataType())
    if (!DataType.equalsIgnoreCompatibleCollation(expected, actual)) {
      throw QueryExecutionErrors.arrowDataTypeMismatchError("Python UDTF", expected, actual)
    }
    flat.rowIterator().asScala
  }
}

/** For a table function over the rows of a partition. */
final class EmberTableFunctionRunner(
    function: PythonUDTF,
    arguments: Array[ArgumentMetadata],
    inputSchema: StructType,
    node: NodeConf)
    extends ArrowPythonUDTFRunner(
      function,
      node.evalType,
      arguments,
      inputSchema,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.session)
    with SessionRunner[Iterator[InternalRow], ColumnarBatch] {
  override protected def functionNames: Seq[String] = node.functions

  override protected def sentSchema: Schema =
    ArrowUtils.toArrowSchema(inputSchema, node.timeZone, node.largeVarTypes)

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] =
    enter(partition, context)(_.open(_, _, _, _)) match {
      case Right(opened) =>
        val limits = RowBatches.Limits(maxRecordsPerBatch, maxBytesPerBatch)
        val batches = new RowBatches(sentSchema, ArrowMemory.allocator, Some(limits), input)
        new ArrowRun(opened).start(UpstreamFiles.apart(batches))
      case Left(reason) =>
        EmbeddedRunner.fellBack(reason, count)
        super.compute(input, partition, context)
    }
}
