package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDF}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{BatchEvalPythonEvaluatorFactory, BatchEvalPythonExec}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.StructType

/** How Spark pickles rows: since 4.3 with a limit of bytes, and counted. */
private[ember] object Pickles {
  def groupBytes(conf: SQLConf): Long = conf.getConf(SQLConf.PYTHON_UDF_MAX_BYTES_PER_BATCH)

  def of(
      rows: Iterator[InternalRow],
      schema: StructType,
      conf: PickleConf,
      metrics: Map[String, SQLMetric]): Iterator[Array[Byte]] =
    BatchEvalPythonExec
      .getInputIterator(rows, schema, conf.groupRows, conf.binaryAsBytes, conf.groupBytes, metrics)
}

abstract class StockPickledEvaluatorFactory(
    inputAttributes: Seq[Attribute],
    functions: Seq[PythonUDF],
    allAttributes: Seq[Attribute],
    conf: PickleConf,
    node: NodeConf)
    extends BatchEvalPythonEvaluatorFactory(
      inputAttributes,
      functions,
      allAttributes,
      conf.groupRows,
      conf.groupBytes,
      node.metrics,
      node.artifacts,
      node.session,
      conf.binaryAsBytes)
