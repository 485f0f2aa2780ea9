package org.apache.spark.sql.execution.python.ember

import org.apache.spark.PartitionEvaluator
import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType, PythonFunction}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, NamedExpression}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.datasources.v2.python.UserDefinedPythonDataSource
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, MapInBatchEvaluatorFactory}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.StructType

/**
 * A data source in Python as Spark's readers and writers hold it. They make their function by `mapInArrow`'s
 * evaluator, which they ask of their source: of this one they get Ember's. All else about them stays Spark's.
 *
 * @param counts
 *   Ember's metrics of the node that reads or writes
 */
private[ember] final class EmbeddedDataSource(
    source: PythonFunction,
    counts: Map[String, SQLMetric])
    extends UserDefinedPythonDataSource(source) {

  override def createMapInBatchEvaluatorFactory(
      pickled: Array[Byte],
      name: String,
      input: StructType,
      output: StructType,
      metrics: Map[String, SQLMetric],
      artifacts: Option[String],
      session: Option[String]): MapInBatchEvaluatorFactory = {
    val conf = SQLConf.get
    val node = NodeConf(
      PythonEvalType.SQL_MAP_ARROW_ITER_UDF,
      conf.sessionLocalTimeZone,
      conf.arrowUseLargeVarTypes,
      ArrowPythonRunner.getPythonRunnerConfMap(conf),
      metrics ++ counts,
      artifacts,
      session,
      conf.pythonUDFProfiler,
      Seq(name),
      deterministic = false)
    val function = ChainedPythonFunctions(Seq(createPythonFunction(pickled)))
    new EmbeddedDataSource.Evaluators(
      DataTypeUtils.toAttributes(output),
      Seq((function, NamedExpression.newExprId.id)),
      input,
      output,
      conf.arrowMaxRecordsPerBatch,
      node)
  }
}

private object EmbeddedDataSource {

  /** What Spark's readers and writers call, with Ember's evaluator. */
  final class Evaluators(
      output: Seq[Attribute],
      functions: Seq[(ChainedPythonFunctions, Long)],
      input: StructType,
      outputType: StructType,
      rowsOfABatch: Int,
      node: NodeConf)
      extends MapInBatchEvaluatorFactory(
        output,
        functions,
        input,
        outputType,
        rowsOfABatch,
        node.evalType,
        node.timeZone,
        node.largeVarTypes,
        node.runnerConf,
        node.metrics,
        node.artifacts,
        node.session) {
    override def createEvaluator(): PartitionEvaluator[InternalRow, InternalRow] =
      new EmberMapEvaluatorFactory(output, functions, input, outputType, node)
        .overRows(OutputForm.Rows)
        .createEvaluator()
  }
}
