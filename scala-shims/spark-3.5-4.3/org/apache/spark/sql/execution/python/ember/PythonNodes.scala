package org.apache.spark.sql.execution.python.ember

import org.apache.spark.JobArtifactSet
import org.apache.spark.sql.catalyst.expressions.PythonFuncExpression
import org.apache.spark.sql.connector.write.BatchWrite
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.datasources.v2.{
  DataSourceV2ScanExecBase,
  V2ExistingTableWriteExec,
  WriteToDataSourceV2Exec
}
import org.apache.spark.sql.execution.datasources.v2.python.{
  PythonScan,
  PythonStreamingWrite,
  PythonWrite
}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, PythonSQLMetrics}
import org.apache.spark.sql.execution.streaming.sources.MicroBatchWrite

/** What nodes outside Spark's packages ask of Spark's Python nodes. */
object PythonNodes {

  /** Nodes that keep state have Python's metrics, whoever their functions are. */
  def isPython(plan: SparkPlan): Boolean = plan match {
    case node if SparkNodes.keepsState(node) => SparkNodes.keepsStateOfPython(node)
    case node =>
      node.isInstanceOf[PythonSQLMetrics] || isDataSource(node) || External.isSparks(node)
  }

  /** Whether a data source in Python is read or written, by functions inside Spark's readers and writers. */
  def isDataSource(plan: SparkPlan): Boolean = plan match {
    case read: DataSourceV2ScanExecBase => read.scan.isInstanceOf[PythonScan]
    case write: V2ExistingTableWriteExec => write.write.isInstanceOf[PythonWrite]
    case write: WriteToDataSourceV2Exec => isOfStream(write.batchWrite)
    case _ => false
  }

  private def isOfStream(write: BatchWrite): Boolean = write match {
    case batch: MicroBatchWrite => batch.writeSupport.isInstanceOf[PythonStreamingWrite]
    case _ => false
  }

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
    plan.conf.pythonUDFProfiler,
    functionsOf(plan).map(_.name).distinct,
    deterministic = functionsOf(plan).forall(_.udfDeterministic))

  private def functionsOf(plan: SparkPlan): Seq[PythonFuncExpression] =
    plan.expressions.flatMap(_.collect { case function: PythonFuncExpression => function })
}
