package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.NamedExpression
import org.apache.spark.sql.execution.{ProjectExec => SparkProjectExec, SparkPlan}

/**
 * Spark's projection where it only gives other names to all columns of an embedded node, in their order: the
 * rows of the node are its own. Spark would write each of them once more. Equality as in
 * [[ArrowEvalPythonExec]].
 */
class ProjectExec(names: Seq[NamedExpression], input: SparkPlan)
    extends SparkProjectExec(names, input) {

  /** Generated code would have to read and write the rows. */
  override def supportCodegen: Boolean = false

  override protected def doExecute(): RDD[InternalRow] = child.execute()

  override protected def withNewChildInternal(newChild: SparkPlan): ProjectExec =
    new ProjectExec(projectList, newChild)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ProjectExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}
