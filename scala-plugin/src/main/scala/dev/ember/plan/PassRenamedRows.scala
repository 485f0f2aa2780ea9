package dev.ember.plan

import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.execution.{CodegenSupport, ProjectExec, SparkPlan}
import org.apache.spark.sql.execution.datasources.v2.MicroBatchScanExec

import dev.ember.exec.{ArrowEvalPythonExec, ProjectExec => EmberProjectExec}
import dev.ember.plan.kinds.Kind

/**
 * Lets rows of embedded nodes pass where a projection only renames their columns, or where the node can write those
 * that are left, in their order. A projection stays Spark's where its parent's generated code takes it in: there it costs nothing, and the parent reads the rows itself.
 */
object PassRenamedRows extends Rule[SparkPlan] {
  override def apply(plan: SparkPlan): SparkPlan = below(plan, takenIn = false)

  private def below(plan: SparkPlan, takenIn: Boolean): SparkPlan = plan match {
    case project: ProjectExec if !takenIn && passes(project) =>
      passing(project, below(project.child, takenIn = false))
    case other => other.mapChildren(below(_, generates(other)))
  }

  /** With the projection's tags: by its link to the logical plan, adaptive execution knows what a stage is. */
  private def passing(project: ProjectExec, child: SparkPlan): SparkPlan = {
    val made = new EmberProjectExec(project.projectList, child)
    made.copyTagsFrom(project)
    made
  }

  private def passes(project: ProjectExec): Boolean =
    project.getClass == classOf[ProjectExec] && (project.child match {
      case eval: ArrowEvalPythonExec if EmberProjectExec.chosen(project, eval).nonEmpty => true
      // Rows that a reader on the driver sends ahead are not written yet.
      case _: MicroBatchScanExec => false
      case child => Kind.all.exists(_.isEmbedded(child)) && EmberProjectExec.passes(project)
    })

  private def generates(plan: SparkPlan): Boolean = plan match {
    case codegen: CodegenSupport => codegen.supportCodegen
    case _ => false
  }
}
