package org.apache.spark.sql.execution.python.ember

import org.apache.spark.sql.catalyst.expressions.PythonUDTF
import org.apache.spark.sql.execution.python.EvalPythonExec.ArgumentMetadata
import org.apache.spark.sql.execution.python.PythonUDTFRunner

/** A runner of Spark's for table functions whose rows it pickles. */
private[ember] abstract class StockPickledTableRunner(
    function: PythonUDTF,
    arguments: Array[ArgumentMetadata],
    node: NodeConf)
    extends PythonUDTFRunner(function, arguments, node.metrics, node.artifacts)
