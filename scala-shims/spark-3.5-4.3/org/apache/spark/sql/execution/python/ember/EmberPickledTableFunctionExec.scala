package org.apache.spark.sql.execution.python.ember

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.execution.python.{BatchEvalPythonUDTFExec, EvaluatePython}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.RowBatches

/**
 * Spark's node for table functions whose rows it pickles. Arguments cross in columns, or in Spark's own pickles
 * where only Spark knows what object a type becomes, and rows come back in lists of structs or in pickles that
 * Spark's own code reads.
 */
trait EmberPickledTableFunctionExec extends BatchEvalPythonUDTFExec with NodeMetrics {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)
  private val node: NodeConf = PythonNodes
    .nodeConf(this, udtf.evalType, pythonMetrics, artifacts, loggedSession)
    .copy(functions = Seq(udtf.name))

  override protected def evaluate(
      arguments: TableArguments.Columns,
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[Iterator[InternalRow]] = {
    val columns = PickledForm.areColumns(schema, Pickles.binaryAsBytes(conf))
    val sent = if (columns) schema else PickledForm.OfPickles
    val input = if (columns) new WholePickles(inOrder(rows, schema)) else pickled(rows, schema)
    new EmberPickledTableFunctionRunner(udtf, arguments, sent, node).embed(input, context) match {
      case Right(batches) =>
        val results =
          new PickledTableRows(udtf.elementSchema, node.metrics("pythonNumRowsReceived"))
        batches.flatMap(results.ofEachRow)
      case Left(reason) =>
        node.onSpark(reason)(super.evaluate(arguments, rows, schema, context))
    }
  }

  private def inOrder(rows: Iterator[InternalRow], schema: StructType): Iterator[InternalRow] =
    TableOrder.overRows(schema.map(_.dataType), TableOrder.OfArguments).fold(rows)(rows.map(_))

  private def pickled(
      rows: Iterator[InternalRow],
      schema: StructType): Iterator[Iterator[InternalRow]] = {
    EvaluatePython.registerPicklers()
    val whole = PickleConf(WholePickles.Rows, groupBytes = -1, Pickles.binaryAsBytes(conf))
    Pickles
      .of(rows, schema, whole, pythonMetrics)
      .map(pickle => Iterator.single(InternalRow(pickle)))
  }
}

/**
 * Rows in batches of as many whole pickles as come quickly, were they pickled: what comes out of a pickle in Python
 * fails as a whole.
 */
private[ember] final class WholePickles(rows: Iterator[InternalRow])
    extends Iterator[Iterator[InternalRow]] {
  import WholePickles.{MostRows, Patience, Rows}

  override def hasNext: Boolean = rows.hasNext

  override def next(): Iterator[InternalRow] = new Iterator[InternalRow] {
    private val begun = System.nanoTime()
    private var taken = 0

    override def hasNext: Boolean = rows.hasNext && (taken == 0 || taken % Rows > 0 || mayGrow)

    private def mayGrow = taken < MostRows && System.nanoTime() - begun < Patience

    override def next(): InternalRow = {
      taken += 1
      rows.next()
    }
  }
}

private[ember] object WholePickles {

  /** Of one pickle, as Spark's node has it. */
  val Rows = 100

  private val MostRows = 2000
  private val Patience = 5000000L
}

/** For a table function over pickles of rows, or over columns in their place. */
final class EmberPickledTableFunctionRunner(
    function: PythonUDTF,
    arguments: TableArguments.Columns,
    sent: StructType,
    node: NodeConf)
    extends StockPickledTableRunner(function, arguments, node)
    with SessionRunner[Array[Byte], Array[Byte]] {
  override protected def functionNames: Seq[String] = node.functions

  /** The zone is that of the worker, whatever the session's. */
  override protected def sentSchema: Schema = InputSchema.of(sent, "UTC", largeVarTypes = false)

  /** What the function gave, for each row and at its end. Each inner iterator of the input is a batch. */
  private[ember] def embed(
      input: => Iterator[Iterator[InternalRow]],
      context: TaskContext): Either[FallbackReason, Iterator[ColumnarBatch]] =
    enter(context.partitionId(), context)(_.open(_, _, _, _)).map { opened =>
      val batches = new RowBatches(sentSchema, ArrowMemory.allocator, None, input)
      new ArrowRun(opened, _ => 0) // rows are counted where they are read
        .start(UpstreamFiles.apart(batches))
    }
}
