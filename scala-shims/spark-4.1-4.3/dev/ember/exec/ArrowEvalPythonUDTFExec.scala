package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDTF}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  ArrowEvalPythonUDTFExec => SparkArrowEvalPythonUDTFExec
}
import org.apache.spark.sql.execution.python.ember.EmberTableFunctionExec

/** Spark's node for table functions, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class ArrowEvalPythonUDTFExec(
    function: PythonUDTF,
    required: Seq[Attribute],
    results: Seq[Attribute],
    input: SparkPlan,
    pythonEvalType: Int)
    extends SparkArrowEvalPythonUDTFExec(function, required, results, input, pythonEvalType)
    with EmberTableFunctionExec {

  override def withNewChildInternal(newChild: SparkPlan): ArrowEvalPythonUDTFExec =
    new ArrowEvalPythonUDTFExec(udtf, requiredChildOutput, resultAttrs, newChild, evalType)

  override def nodeName: String = "EmberArrowEvalPythonUDTF"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ArrowEvalPythonUDTFExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
