package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.spark.TaskContext
import org.apache.spark.api.python.ChainedPythonFunctions
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.python.ArrowEvalPythonEvaluatorFactory
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.types.StructType

/** A partition of rows through scalar functions: Spark's own evaluator with another runner in it. */
final class EmberEvalPythonEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    batchRows: Int,
    node: NodeConf)
    extends ArrowEvalPythonEvaluatorFactory(
      inputAttributes,
      functions,
      allAttributes,
      batchRows,
      node.evalType,
      node.timeZone,
      node.largeVarTypes,
      node.runnerConf,
      node.metrics,
      node.artifacts,
      node.session) {

  override def evaluate(
      chained: Seq[(ChainedPythonFunctions, Long)],
      arguments: Array[Array[ArgumentMetadata]],
      rows: Iterator[InternalRow],
      schema: StructType,
      context: TaskContext): Iterator[InternalRow] = {
    val types = new OutputTypes(allAttributes.drop(inputAttributes.length))
    new EmberEvalRunner(chained, arguments, schema, node)
      .compute(Iterator(rows), context.partitionId(), context)
      .flatMap { batch =>
        types.check(batch)
        batch.rowIterator.asScala
      }
  }
}
