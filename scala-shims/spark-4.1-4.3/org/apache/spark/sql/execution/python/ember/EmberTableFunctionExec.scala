package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.complex.ListVector
import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.errors.QueryExecutionErrors
import org.apache.spark.sql.execution.python.{ArrowEvalPythonUDTFExec, ArrowPythonUDTFRunner}
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch}

import dev.ember.rows.RowBatches

/**
 * Spark's node for table functions with another runner. What comes back belongs to one input row after the
 * other, and at last to none: that is what the function had to say at its end.
 */
trait EmberTableFunctionExec extends ArrowEvalPythonUDTFExec with NodeMetrics {
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
      .flatMap(ofEachRow)

  /** The rows that belong to each input row. */
  private def ofEachRow(batch: ColumnarBatch): Iterator[Iterator[InternalRow]] = {
    val flat = checked(batch)
    TableFunctionRows.lists(batch) match {
      case Some(lists) =>
        Iterator.range(0, batch.numRows()).map { at =>
          Iterator
            .range(lists.getElementStartIndex(at), lists.getElementEndIndex(at))
            .map(flat.getRow)
        }
      case None => Iterator.single(Iterator.range(0, batch.numRows()).map(flat.getRow))
    }
  }

  private def checked(batch: ColumnarBatch): ColumnarBatch = {
    val flat =
      StructRows.flattened(
        TableFunctionRows.structs(batch),
        TableFunctionRows.count(batch),
        expected.length)
    val actual = expected.indices.map(flat.column(_).dataType())
    if (!DataType.equalsIgnoreCompatibleCollation(expected, actual)) {
      throw QueryExecutionErrors.arrowDataTypeMismatchError("Python UDTF", expected, actual)
    }
    flat
  }
}

/**
 * What a table function gives: structs, in a batch for each input row or, if it was called for many of them, in a
 * list for each.
 */
private[ember] object TableFunctionRows {
  def lists(batch: ColumnarBatch): Option[ListVector] =
    Some(column(batch).getValueVector).collect { case lists: ListVector => lists }

  def structs(batch: ColumnarBatch): ArrowColumnVector =
    lists(batch).fold(column(batch))(all => new ArrowColumnVector(all.getDataVector))

  def count(batch: ColumnarBatch): Int =
    lists(batch).fold(batch.numRows())(_.getDataVector.getValueCount)

  private def column(batch: ColumnarBatch): ArrowColumnVector =
    batch.column(0).asInstanceOf[ArrowColumnVector]
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
    InputSchema.of(inputSchema, node.timeZone, node.largeVarTypes)

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] =
    enter(partition, context)(_.open(_, _, _, _)) match {
      case Right(opened) =>
        val limits = RowBatches.Limits(maxRecordsPerBatch, maxBytesPerBatch)
        val batches = new RowBatches(sentSchema, ArrowMemory.allocator, Some(limits), input)
        new ArrowRun(opened, TableFunctionRows.count).start(UpstreamFiles.apart(batches))
      case Left(reason) =>
        onSpark(reason)(super.compute(input, partition, context))
    }
}
