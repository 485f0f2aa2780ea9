package org.apache.spark.sql.execution.python.ember

import java.io.ByteArrayOutputStream
import java.nio.channels.Channels

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.apache.arrow.vector.ipc.WriteChannel
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.{SparkEnv, TaskContext}
import org.apache.spark.internal.config.Python.{PYTHON_DAEMON_MODULE, PYTHON_WORKER_MODULE}
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.python.RowInputArrowPythonRunner
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.sql.vectorized.ColumnarBatch
import org.apache.spark.util.Utils

import dev.ember.config.{EmberConf, InvalidSetting}
import dev.ember.metrics.EmberMetrics
import dev.ember.nativeapi.Native
import dev.ember.reason.{FallbackReason, ReasonLog}
import dev.ember.rows.{InputRows, RowBatches}
import dev.ember.rows.columns.InputColumns
import dev.ember.session.{Admission, LaneKey, LaneOfSession, Place, SessionFacts}

/**
 * A runner of Spark's that runs its function on the embedded lane if it can, and is Spark's own runner if it
 * cannot. It decides before it has touched its input, so that nothing is lost either way.
 */
trait EmbeddedRunner
    extends RowInputArrowPythonRunner
    with StockRunner[Iterator[InternalRow], ColumnarBatch] {

  /** Where batches end; nothing if each inner iterator of the input is one batch. */
  protected def batchLimits: Option[RowBatches.Limits]

  /** What the function is called, or the functions are. */
  protected def functionNames: Seq[String]

  override def compute(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] =
    embed(input, partition, context) match {
      case Right(batches) => batches
      case Left(reason) =>
        EmbeddedRunner.fellBack(reason, count)
        super.compute(input, partition, context)
    }

  /** Spark's own runner. */
  private[ember] final def stock(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Iterator[ColumnarBatch] = super.compute(input, partition, context)

  /** The function's batches from the embedded lane, or why it cannot run there. */
  final def embed(
      input: Iterator[Iterator[InternalRow]],
      partition: Int,
      context: TaskContext): Either[FallbackReason, Iterator[ColumnarBatch]] =
    enter(partition, context)(_.open(_, _, _, _)).map { opened =>
      val batches = new RowBatches(arrowSchema, ArrowMemory.allocator, batchLimits, input)
      new ArrowRun(opened).start(UpstreamFiles.apart(batches))
    }

  /** The same, with rows that cross as pages. `input` gets the limits of this runner. */
  private[ember] final def embedRows(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int)(input: Option[RowBatches.Limits] => InputRows)
      : Either[FallbackReason, Iterator[InternalRow]] =
    enter(partition, context)(_.openRows(_, _, _, _, form.plan(spillFolder))).map { opened =>
      new RowRun(opened, form, output).start(UpstreamFiles.apart(input(batchLimits)))
    }

  private def spillFolder: String = Utils.getLocalDir(SparkEnv.get.conf)

  /** The same, with an input that crosses as columns. `input` gets the limits of this runner. */
  private[ember] final def embedColumns(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int)(input: Option[RowBatches.Limits] => InputColumns)
      : Either[FallbackReason, Iterator[InternalRow]] =
    enter(partition, context)(_.openColumns(_, _, _, _, form.plan(spillFolder))).map { opened =>
      new ColumnRun(opened, form, output).start(input(batchLimits))
    }

  private def enter(partition: Int, context: TaskContext)(
      call: EmbeddedRunner.Open): Either[FallbackReason, OpenedSession] = {
    val begun = System.nanoTime()
    val opened =
      try {
        val conf = EmberConf.current
        val facts = sessionFacts(context)
        for {
          _ <- Admission.ofSession(conf, facts).toLeft(())
          environment = WorkerEnvironment.of(EmberView, context)
          task = context.taskAttemptId()
          place <- LaneOfSession.enter(conf, facts, laneKey, environment, task)
          session <- open(place, conf, environment, partition, context, call)
        } yield session
      } catch {
        case invalid: InvalidSetting => Left(FallbackReason.InvalidConf(invalid.getMessage))
        case error @ (NonFatal(_) | _: LinkageError) => Left(FallbackReason.unexpected(error))
      }
    opened.foreach { session =>
      count(EmberMetrics.Sessions, 1)
      if (session.place.apart) count(EmberMetrics.ProcessSessions, 1)
      count(EmberMetrics.OpenTime, System.nanoTime() - begun)
    }
    opened
  }

  private def open(
      place: Place,
      conf: EmberConf,
      environment: Map[String, String],
      partition: Int,
      context: TaskContext,
      call: EmbeddedRunner.Open): Either[FallbackReason, OpenedSession] = {
    var worker: Option[StockWorker[Iterator[InternalRow], ColumnarBatch]] = None
    try {
      val stock = new StockWorker(this, partition, context)
      worker = Some(stock)
      val variables = WorkerEnvironment.bytes(environment)
      val handle =
        call(place.native, stock.header(), schemaMessage, variables, conf.batchesAhead)
      val graceMs = conf.cancelGraceSeconds * 1000L
      Right(OpenedSession(place, handle, stock, graceMs, context, functionNames, count))
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        worker.foreach(_.close())
        place.leave()
        Left(FallbackReason.OpenFailed(FallbackReason.oneLine(error)))
    }
  }

  private lazy val arrowSchema: Schema = {
    ArrowUtils.failDuplicatedFieldNames(schema)
    ArrowUtils.toArrowSchema(schema, timeZoneId, largeVarTypes)
  }

  private def schemaMessage: Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    MessageSerializer.serialize(new WriteChannel(Channels.newChannel(bytes)), arrowSchema): Unit
    bytes.toByteArray
  }

  private def laneKey: LaneKey = LaneKey(
    pythonExec,
    jobArtifactUUID.getOrElse("default"),
    funcs.flatMap(_.funcs).flatMap(_.pythonIncludes.asScala).toSet)

  private def sessionFacts(context: TaskContext): SessionFacts = {
    val conf = SparkEnv.get.conf
    SessionFacts(
      profiler = runnerConf.contains(SQLConf.PYTHON_UDF_PROFILER.key),
      workerLogging = envVars.containsKey("PYSPARK_SPARK_SESSION_UUID"),
      faultHandler = faultHandlerEnabled || tracebackDumpIntervalSeconds > 0,
      memoryLimit = context.getLocalProperty(ResourceProfile.PYSPARK_MEMORY_LOCAL_PROPERTY) != null,
      customWorker =
        conf.get(PYTHON_DAEMON_MODULE).nonEmpty || conf.get(PYTHON_WORKER_MODULE).nonEmpty,
      idleTimeoutKills = killOnIdleTimeout && idleTimeoutSeconds > 0,
      otherHashSeed = Option(envVars.get("PYTHONHASHSEED")).exists(_ != "0"))
  }

  private def count(key: String, amount: Long): Unit = metrics.get(key).foreach(_.add(amount))

  /** What the environment of a worker is made from. */
  private object EmberView extends WorkerEnvironment.Source {
    override def variables: Map[String, String] = envVars.asScala.toMap
    override def bufferBytes: Int = bufferSize
    override def authTimeout: Long = authSocketTimeout
    override def hidesTraceback: Boolean = hideTraceback
    override def simplifiesTraceback: Boolean = simplifiedTraceback
    override def showsLocals: Boolean = tracebackWithLocals
    override def pickledBatchSize: Int = batchSizeForPythonUDF
    override def artifacts: String = jobArtifactUUID.getOrElse("default")
    override def killsOnFlushFailure: Boolean = killWorkerOnFlushFailure
  }
}

object EmbeddedRunner {

  /** Opens a session: header, input schema, environment, batches ahead. */
  private type Open = (Native, Array[Byte], Array[Byte], Array[Byte], Int) => Long

  /** Says and counts that a session runs on Spark's own runner. */
  def fellBack(reason: FallbackReason, count: (String, Long) => Unit): Unit = {
    ReasonLog.once(reason)
    count(EmberMetrics.Fallbacks, 1)
    count(EmberMetrics.reason(reason.name), 1)
  }
}
