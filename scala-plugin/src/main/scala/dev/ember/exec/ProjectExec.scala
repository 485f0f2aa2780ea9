package dev.ember.exec

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, ExprId, NamedExpression}
import org.apache.spark.sql.execution.{ProjectExec => SparkProjectExec, SparkPlan}

/**
 * Spark's projection where an embedded node can write its rows itself: it only gives other names to the node's
 * columns, puts them in another order, or leaves some out. Spark would write each row once more. Over another child
 * it is what it was. Equality as in [[ArrowEvalPythonExec]].
 */
class ProjectExec(names: Seq[NamedExpression], input: SparkPlan)
    extends SparkProjectExec(names, input) {

  /** Generated code would have to read and write the rows. */
  override def supportCodegen: Boolean = false

  override protected def doExecute(): RDD[InternalRow] = {
    val whole = ProjectExec.passes(this)
    child match {
      case _ if whole => child.execute()
      case eval: ArrowEvalPythonExec =>
        ProjectExec.chosen(this, eval).fold(super.doExecute())(eval.choosing)
      case _ => super.doExecute()
    }
  }

  override protected def withNewChildInternal(newChild: SparkPlan): ProjectExec =
    new ProjectExec(projectList, newChild)

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ProjectExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}

object ProjectExec {

  /** Whether the columns are those of the child, in their order. */
  def passes(project: SparkProjectExec): Boolean =
    columns(project).contains(project.child.output.map(_.exprId))

  /** Where the columns of the projection stand in the node's output, if that is all there is to it. */
  def chosen(project: SparkProjectExec, node: ArrowEvalPythonExec): Option[Seq[Int]] = {
    val output = node.output.map(_.exprId)
    columns(project).map(_.map(output.indexOf(_))).filterNot(_.contains(-1))
  }

  private def columns(project: SparkProjectExec): Option[Seq[ExprId]] = {
    val found = project.projectList.flatMap(column)
    if (found.length == project.projectList.length) Some(found) else None
  }

  private def column(named: NamedExpression): Option[ExprId] = named match {
    case Alias(column: Attribute, _) => Some(column.exprId)
    case column: Attribute => Some(column.exprId)
    case _ => None
  }
}
