package org.apache.spark.sql.execution.python.ember

import org.apache.spark.JobArtifactSet
import org.apache.spark.sql.catalyst.expressions.PythonFuncExpression
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, PythonSQLMetrics}

/** What nodes outside Spark's packages ask of Spark's Python nodes. */
object PythonNodes {

  /** Nodes that keep state have Python's metrics, whoever their functions are. */
  def isPython(plan: SparkPlan): Boolean = plan match {
    case node if SparkNodes.keepsState(node) => SparkNodes.keepsStateOfPython(node)
    case node =>
      node.isInstanceOf[PythonSQLMetrics] || isDataSource(node) || External.isSparks(node)
  }

  /** Whether a data source in Python is read or written. */
  def isDataSource(plan: SparkPlan): Boolean = PythonSources.isOne(plan)

  /** Of the session whose query is being planned; asked when a node is made, as Spark's nodes do. */
  def artifacts: Option[String] = JobArtifactSet.getCurrentJobArtifactState.map(_.uuid)

  /** Only if its workers' output is to be captured, as in Spark's nodes. */
  def session(plan: SparkPlan): Option[String] = SparkNodes.loggedSession(plan)

  def nodeConf(
      plan: SparkPlan,
      evalType: Int,
      metrics: Map[String, SQLMetric],
      artifacts: Option[String],
      session: Option[String]): NodeConf = NodeConf(
    evalType,
    plan.conf.sessionLocalTimeZone,
    plan.conf.arrowUseLargeVarTypes,
    ArrowPythonRunner.getPythonRunnerConfMap(plan.conf),
    metrics,
    artifacts,
    session,
    Profilers.of(plan.conf),
    functionsOf(plan).map(_.name).distinct,
    deterministic = functionsOf(plan).forall(_.udfDeterministic))

  /** A list, for what Spark gives may be a stream in Scala 2.12, which would take the node along into tasks. */
  private def functionsOf(plan: SparkPlan): List[PythonFuncExpression] =
    plan.expressions.toList.flatMap(_.collect { case function: PythonFuncExpression => function })
}
