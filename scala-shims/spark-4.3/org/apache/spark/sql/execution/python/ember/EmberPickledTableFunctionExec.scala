package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import net.razorvine.pickle.Unpickler
import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.catalyst.util.GenericArrayData
import org.apache.spark.sql.execution.python.{
  BatchEvalPythonExec,
  BatchEvalPythonUDTFExec,
  EvaluatePython,
  PythonUDTFRunner
}
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.{BinaryType, StructType}
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch

import dev.ember.reason.FallbackReason
import dev.ember.rows.RowBatches

/**
 * Spark's node for table functions whose rows it pickles. Its own pickles of the arguments cross, and the pickles
 * that PySpark makes of the rows of each row come back for Spark's own code to read.
 */
trait EmberPickledTableFunctionExec extends BatchEvalPythonUDTFExec {
  private val artifacts: Option[String] = PythonNodes.artifacts
  private val loggedSession: Option[String] = PythonNodes.session(this)
  private val node: NodeConf = PythonNodes
    .nodeConf(this, udtf.evalType, pythonMetrics, artifacts, loggedSession)
    .copy(functions = Seq(udtf.name))

  override protected def evaluate(
      arguments: Array[ArgumentMetadata],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[Iterator[InternalRow]] =
    new EmberPickledTableFunctionRunner(udtf, arguments, node)
      .embed(pickled(rows, schema), context) match {
      case Right(pickles) =>
        val unpickler = new Unpickler
        val convert = EvaluatePython.makeFromJava(udtf.dataType)
        pickles
          .flatMap(unpickler.loads(_).asInstanceOf[java.util.List[Any]].asScala)
          .map(results => counted(convert(results).asInstanceOf[GenericArrayData]))
      case Left(reason) =>
        node.onSpark(reason)(super.evaluate(arguments, rows, schema, context))
    }

  private def pickled(rows: Iterator[InternalRow], schema: StructType): Iterator[Array[Byte]] = {
    EvaluatePython.registerPicklers()
    BatchEvalPythonExec.getInputIterator(
      rows,
      schema,
      EmberPickledTableFunctionExec.Rows,
      conf.pysparkBinaryAsBytes,
      pythonMetrics = pythonMetrics)
  }

  private def counted(rows: GenericArrayData): Iterator[InternalRow] = {
    node.count("pythonNumRowsReceived", rows.array.length.toLong)
    rows.array.iterator.map(_.asInstanceOf[InternalRow])
  }
}

private object EmberPickledTableFunctionExec {

  /** Of one pickle, as Spark's node has it. */
  val Rows = 100
}

/** For a table function over pickles of rows. */
final class EmberPickledTableFunctionRunner(
    function: PythonUDTF,
    arguments: Array[ArgumentMetadata],
    node: NodeConf)
    extends PythonUDTFRunner(function, arguments, node.metrics, node.artifacts, node.session)
    with SessionRunner[Array[Byte], Array[Byte]] {
  override protected def functionNames: Seq[String] = node.functions

  override protected def sentSchema: Schema =
    ArrowUtils.toArrowSchema(new StructType().add("pickles", BinaryType), "UTC", false)

  /** The function's pickles, one for each row and what it has to say at its end. */
  private[ember] def embed(
      input: => Iterator[Array[Byte]],
      context: TaskContext): Either[FallbackReason, Iterator[Array[Byte]]] =
    enter(context.partitionId(), context)(_.open(_, _, _, _)).map { opened =>
      val pickles = input.map(pickle => Iterator.single(InternalRow(pickle)))
      val batches = new RowBatches(sentSchema, ArrowMemory.allocator, None, pickles)
      new ArrowRun(opened, _ => 0) // rows are counted where the pickles are read
        .start(UpstreamFiles.apart(batches))
        .flatMap(column)
    }

  private def column(batch: ColumnarBatch): Iterator[Array[Byte]] =
    Iterator.tabulate(batch.numRows())(batch.column(0).getBinary)
}
