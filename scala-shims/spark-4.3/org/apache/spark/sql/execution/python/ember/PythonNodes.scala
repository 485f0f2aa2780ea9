package org.apache.spark.sql.execution.python.ember

import org.apache.spark.JobArtifactSet
import org.apache.spark.sql.catalyst.expressions.PythonFuncExpression
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, PythonSQLMetrics}

/** What nodes outside Spark's packages ask of Spark's Python nodes. */
object PythonNodes {
  def isPython(plan: SparkPlan): Boolean = plan.isInstanceOf[PythonSQLMetrics]

  /** Of the session whose query is being planned; asked when a node is made, as Spark's nodes do. */
  def artifacts: Option[String] = JobArtifactSet.getCurrentJobArtifactState.map(_.uuid)

  /** Only if its workers' output is to be captured, as in Spark's nodes. */
  def session(plan: SparkPlan): Option[String] =
    Option(plan.session).filter(_.sessionState.conf.pythonWorkerLoggingEnabled).map(_.sessionUUID)

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
    plan.expressions
      .flatMap(_.collect { case function: PythonFuncExpression => function.name })
      .distinct)
}
