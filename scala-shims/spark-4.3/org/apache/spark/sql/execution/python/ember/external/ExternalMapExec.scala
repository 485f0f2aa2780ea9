package org.apache.spark.sql.execution.python.ember.external

import scala.jdk.CollectionConverters._

import com.google.protobuf.ByteString

import org.apache.spark.{SparkEnv, TaskContext}
import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.rdd.RDD
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  ExternalUserDefinedFunction,
  UnsafeProjection
}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.execution.arrow.ArrowConverters
import org.apache.spark.sql.execution.externalUDF.MapPartitionsExternalUDFExec
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.ArrowPythonRunner
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.udf.worker._
import org.apache.spark.udf.worker.core.WorkerSession

import dev.ember.metrics.EmberMetrics

/**
 * Spark's own node for functions on workers of any language, which Spark 4.3.0 plans for `mapInPandas` and cannot run:
 * each partition is a session of Spark's protocol, with whoever Spark's manager says makes the workers.
 *
 * @param attributes
 *   what the plan above expects; Spark's node makes new ones whenever it is asked
 */
final class ExternalMapExec(
    specification: UDFWorkerSpecification,
    external: ExternalUserDefinedFunction,
    barrier: Boolean,
    resources: Option[ResourceProfile],
    input: SparkPlan,
    attributes: Seq[Attribute])
    extends MapPartitionsExternalUDFExec(specification, external, barrier, resources, input) {

  override def output: Seq[Attribute] = attributes

  override lazy val metrics: Map[String, SQLMetric] =
    externalUdfMetrics ++ EmberMetrics.create(sparkContext)

  override protected def doExecute(): RDD[InternalRow] = {
    val run = task
    val rows = child.execute()
    val mapped = if (isBarrier) rows.barrier().mapPartitions(run(_)) else rows.mapPartitions(run(_))
    profile.fold(mapped)(mapped.withResources)
  }

  private def task: ExternalMapExec.Task = ExternalMapExec.Task(
    workerSpec,
    function.name.getOrElse("function"),
    function.payload,
    child.schema,
    DataTypeUtils.fromAttributes(attributes),
    conf.sessionLocalTimeZone,
    conf.arrowUseLargeVarTypes,
    conf.arrowMaxRecordsPerBatch.toLong,
    ArrowPythonRunner.getPythonRunnerConfMap(conf),
    metrics(EmberMetrics.Sessions))

  override protected def otherCopyArgs: Seq[AnyRef] = attributes :: Nil

  override protected def withNewChildInternal(newChild: SparkPlan): ExternalMapExec =
    new ExternalMapExec(workerSpec, function, isBarrier, profile, newChild, attributes)

  override def nodeName: String = "EmberExternalSession"

  override def canEqual(other: Any): Boolean = other.isInstanceOf[ExternalMapExec]
  override def equals(other: Any): Boolean = canEqual(other) && super.equals(other)
  override def hashCode(): Int = 31 * super.hashCode() + 1
}

private object ExternalMapExec {

  /** What a task needs of the node. */
  final case class Task(
      specification: UDFWorkerSpecification,
      name: String,
      payload: Array[Byte],
      input: StructType,
      output: StructType,
      timeZone: String,
      largeVarTypes: Boolean,
      rowsABatch: Long,
      settings: Map[String, String],
      sessions: SQLMetric) {

    def apply(rows: Iterator[InternalRow]): Iterator[InternalRow] = {
      val context = TaskContext.get()
      val dispatcher = SparkEnv.get.getExternalUDFDispatcher(specification)
      val session = dispatcher.createSession(None)
      context.addTaskCompletionListener[Unit] { _ =>
        session.close(() => Cancel.getDefaultInstance): Unit
      }: Unit
      session.init(init): Unit
      sessions += 1
      results(session, rows, context)
    }

    private def results(
        session: WorkerSession,
        rows: Iterator[InternalRow],
        context: TaskContext): Iterator[InternalRow] = {
      val sent = ArrowConverters
        .toBatchIterator(rows, input, rowsABatch, timeZone, true, largeVarTypes, context)
        .map(bytes => DataRequest.newBuilder().setData(ByteString.copyFrom(bytes)).build())
      val came = session.process(sent, () => Finish.getDefaultInstance).map(_.getData.toByteArray)
      ArrowConverters
        .fromBatchIterator(came, output, timeZone, true, largeVarTypes, context)
        .map(UnsafeProjection.create(output))
    }

    private def init: Init = {
      val udf = UdfPayload
        .newBuilder()
        .setName(name)
        .setFormat(ExternalFunction.Format)
        .setPayload(ByteString.copyFrom(payload))
        .setEvalType(PythonEvalType.toString(PythonEvalType.SQL_MAP_PANDAS_ITER_UDF))
      val schema = ArrowUtils.toArrowSchema(input, timeZone, largeVarTypes)
      Init
        .newBuilder()
        .setDataFormat(UDFWorkerDataFormat.ARROW)
        .setUdf(udf)
        .setInputSchema(ByteString.copyFrom(WireForm.message(schema)))
        .setTimezone(timeZone)
        .putAllSessionConf(settings.asJava)
        .build()
    }
  }
}
