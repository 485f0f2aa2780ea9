package dev.ember.exec

import org.apache.spark.sql.catalyst.expressions.{Attribute, PythonUDTF}
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.python.{
  BatchEvalPythonUDTFExec => SparkBatchEvalPythonUDTFExec
}
import org.apache.spark.sql.execution.python.ember.EmberPickledTableFunctionExec

/** Spark's node for table functions whose rows it pickles, on the embedded lane. Equality as in [[ArrowEvalPythonExec]]. */
class BatchEvalPythonUDTFExec(
    function: PythonUDTF,
    required: Seq[Attribute],
    results: Seq[Attribute],
    input: SparkPlan)
    extends SparkBatchEvalPythonUDTFExec(function, required, results, input)
    with EmberPickledTableFunctionExec {

  override def withNewChildInternal(newChild: SparkPlan): BatchEvalPythonUDTFExec =
    new BatchEvalPythonUDTFExec(udtf, requiredChildOutput, resultAttrs, newChild)

  override def nodeName: String = "EmberBatchEvalPythonUDTF"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[BatchEvalPythonUDTFExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
