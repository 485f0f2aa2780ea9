package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.PythonUDTFRunner

/** A runner of Spark's for table functions whose rows it pickles. */
private[ember] abstract class StockPickledTableRunner(
    function: PythonUDTF,
    arguments: TableArguments.Columns,
    node: NodeConf)
    extends PythonUDTFRunner(function, arguments, node.metrics, node.artifacts) {
  protected def metrics: Map[String, SQLMetric] = node.metrics
}
