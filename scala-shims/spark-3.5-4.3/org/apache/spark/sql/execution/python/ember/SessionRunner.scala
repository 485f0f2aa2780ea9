package org.apache.spark.sql.execution.python.ember

import java.io.{ByteArrayOutputStream, File}
import java.nio.channels.Channels

import scala.jdk.CollectionConverters._
import scala.util.control.NonFatal

import org.apache.arrow.vector.ipc.WriteChannel
import org.apache.arrow.vector.ipc.message.MessageSerializer
import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.{BarrierTaskContext, SparkEnv, TaskContext}
import org.apache.spark.api.python.PythonEvalType
import org.apache.spark.internal.config.Python.{PYTHON_DAEMON_MODULE, PYTHON_WORKER_MODULE}
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.util.Utils

import dev.ember.config.{EmberConf, InvalidSetting, Trust}
import dev.ember.contain.FunctionRun
import dev.ember.metrics.EmberMetrics
import dev.ember.reason.FallbackReason
import dev.ember.rows.InputRows
import dev.ember.sampling.Sampling
import dev.ember.session.{
  Admission,
  Fingerprint,
  LaneDispatcher,
  LaneOfSession,
  Patience,
  Place,
  SessionFacts
}
import dev.ember.session.contract.{WorkerFunction, WorkerSpec}
import dev.ember.status.ExecutorLedger

/** A runner of Spark's, of whatever form, that can open a session on a lane of Ember's in the place of a worker. */
trait SessionRunner[IN, OUT] extends StockRunner[IN, OUT] {

  /** What the function is called, or the functions are. */
  protected def functionNames: Seq[String]

  /** What batches of the session's input hold. */
  protected def sentSchema: Schema

  /** Whether a session may leave the rest of a partition to another one, if its worker knows that it keeps nothing. */
  protected def mayMove: Boolean = false

  protected final def spillFolder: String = Utils.getLocalDir(SparkEnv.get.conf)

  /** Opens a session, or says why it cannot be. */
  protected final def enter(partition: Int, context: TaskContext)(
      call: EmbeddedRunner.Open): Either[FallbackReason, OpenedSession] = {
    val opened = tryToEnter(partition, context, call)
    opened.left.foreach { reason =>
      // What failed because the task is to end is not left to Spark, whose daemon would be started for nothing.
      context.killTaskIfInterrupted()
      ExecutorLedger.stayed(fingerprint.text, called, reason)
    }
    opened
  }

  private def tryToEnter(
      partition: Int,
      context: TaskContext,
      call: EmbeddedRunner.Open): Either[FallbackReason, OpenedSession] = {
    val begun = System.nanoTime()
    try {
      val conf = EmberConf.current
      val facts = sessionFacts(context)
      for {
        _ <- Admission.ofSession(conf, facts).toLeft(())
        worker = workerSpec(conf.trust, context)
        place <- LaneOfSession.enter(conf, facts, worker, functionRun(context))
        session <- new Opening(conf, worker, partition, context, call).at(place, begun)
      } yield session
    } catch {
      case invalid: InvalidSetting => Left(FallbackReason.InvalidConf(invalid.getMessage))
      case error @ (NonFatal(_) | _: LinkageError) => Left(FallbackReason.unexpected(error))
    }
  }

  /** Spark's own way, and why it is taken. */
  protected final def onSpark(reason: FallbackReason)(compute: => Iterator[OUT]): Iterator[OUT] =
    StockRun(reason, functionNames, evalType, count)(compute)

  /** Opens a session with rows that cross as pages. `input` is asked for once it is open. */
  protected final def enterRows(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int)(input: => InputRows): Either[FallbackReason, Iterator[InternalRow]] =
    openRows(form, output, context, partition).map(_.start(UpstreamFiles.apart(input)))

  /** The same before it has its input. */
  private[ember] final def openRows(
      form: RowForm,
      output: RowOutput,
      context: TaskContext,
      partition: Int): Either[FallbackReason, RowRun] =
    enter(partition, context)(_.openRows(_, _, _, _, form.plan(spillFolder)))
      .map(new RowRun(_, form, output))

  /** Opens sessions of this runner's for one task: one, and where it moves one more. */
  private final class Opening(
      conf: EmberConf,
      needed: WorkerSpec,
      partition: Int,
      context: TaskContext,
      call: EmbeddedRunner.Open) {
    private val moves = mayMove && !context.isInstanceOf[BarrierTaskContext]

    def at(place: Place, begun: Long): Either[FallbackReason, OpenedSession] = {
      val opened = open(place)
      opened.foreach(_ => tell(place, System.nanoTime() - begun))
      opened
    }

    private def tell(place: Place, nanos: Long): Unit = {
      count(EmberMetrics.Sessions, 1)
      if (place.apart) count(EmberMetrics.ProcessSessions, 1)
      if (place.moved) count(EmberMetrics.Moves, 1)
      place.setAside.foreach(why => count(EmberMetrics.reason(why.name), 1))
      place.choice.foreach(chosen => count(EmberMetrics.choice(chosen), 1))
      place.opened(nanos)
      count(EmberMetrics.OpenTime, nanos)
    }

    private def open(place: Place): Either[FallbackReason, OpenedSession] = {
      var worker: Option[StockWorker[IN, OUT]] = None
      try {
        val stock = new StockWorker(SessionRunner.this, partition, context)
        worker = Some(stock)
        Right(opened(place, stock))
      } catch {
        case error @ (NonFatal(_) | _: LinkageError) =>
          worker.foreach(_.close())
          place.leave()
          Left(FallbackReason.OpenFailed(FallbackReason.oneLine(error)))
      }
    }

    private def opened(place: Place, stock: StockWorker[IN, OUT]): OpenedSession = {
      val patience = new Patience(idleTimeoutSeconds, killsSilent, logWarning(_))
      val faults = faultFolder.map(_.toPath)
      val task = new SessionTask(place, stock, context, functionNames, patience, faults)
      val graceMs = conf.cancelGraceSeconds * 1000L
      val session = LaneDispatcher.of(place).session(place, begin(place, _), task, graceMs)
      session.init(function(stock))
      val onward =
        if (moves) new Onward(place, session.handle, count, at(_, System.nanoTime()).toOption)
        else () => None
      OpenedSession(session, stock, graceMs, context, patience, count, onward)
    }

    private def begin(place: Place, function: WorkerFunction): Long = {
      val variables = WorkerEnvironment.bytes(needed.environment)
      call(place.native, function.payload, function.input, variables, conf.batchesAhead)
    }

    private def function(stock: StockWorker[IN, OUT]): WorkerFunction =
      WorkerFunction(
        called,
        evalType,
        "the header of Spark's Python worker",
        stock.header(),
        schemaMessage)
  }

  private def schemaMessage: Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    MessageSerializer.serialize(new WriteChannel(Channels.newChannel(bytes)), sentSchema): Unit
    bytes.toByteArray
  }

  private def workerSpec(trust: Trust, context: TaskContext): WorkerSpec = {
    val includes = funcs.flatMap(_.funcs).flatMap(_.pythonIncludes.asScala).toSet
    WorkerSpec(
      WorkerEnvironment.executable(pythonExec, EmberView.artifacts),
      TaskScope.of(trust, jobArtifactUUID, includes, context),
      includes,
      WorkerEnvironment.of(EmberView, context) ++ Sampling.variables,
      SparkEnv.get.conf.get("spark.app.id", ""))
  }

  private def faultFolder: Option[File] =
    if (faultHandlerEnabled) Some(faultLogs) else None

  private def functionRun(context: TaskContext): FunctionRun = FunctionRun(
    fingerprint.text,
    called,
    context.taskAttemptId(),
    again = context.attemptNumber() > 0 || context.stageAttemptNumber() > 0)

  private def called: String = functionNames.mkString(", ")

  private def fingerprint: Fingerprint = Fingerprint.of(evalType, pickled)

  private def pickled: Seq[Seq[Array[Byte]]] = funcs.map(_.funcs.map(_.command.toArray))

  private def sessionFacts(context: TaskContext): SessionFacts = {
    val conf = SparkEnv.get.conf
    SessionFacts(
      waitsForBroadcasts =
        waitsForBroadcasts && funcs.flatMap(_.funcs).exists(!_.broadcastVars.isEmpty),
      profiler = profiled,
      profilesInput = profiled && pullsInput,
      workerLogging = envVars.containsKey("PYSPARK_SPARK_SESSION_UUID"),
      faultHandler = faultHandlerEnabled || tracebackSeconds > 0,
      memoryLimit = context.getLocalProperty(ResourceProfile.PYSPARK_MEMORY_LOCAL_PROPERTY) != null,
      customWorker =
        conf.get(PYTHON_DAEMON_MODULE).nonEmpty || conf.get(PYTHON_WORKER_MODULE).nonEmpty,
      idleTimeoutKills = killsSilent && idleTimeoutSeconds > 0,
      otherHashSeed = Option(envVars.get("PYTHONHASHSEED")).exists(_ != "0"),
      isolated = Fingerprint.isIsolated(pickled))
  }

  private def pullsInput: Boolean = {
    val kind = PythonEvalType.toString(evalType)
    Seq("_ITER", "_STATE").exists(kind.contains)
  }

  protected final def count(key: String, amount: Long): Unit =
    metrics.get(key).foreach(_.add(amount))

  /** What the environment of a worker is made from. */
  private object EmberView extends WorkerEnvironment.Source {
    override def variables: Map[String, String] = envVars.asScala.toMap
    override def bufferBytes: Int = bufferSize
    override def authTimeout: Long = authSocketTimeout
    override def hidesTraceback: Boolean = hideTraceback
    override def simplifiesTraceback: Boolean = simplifiedTraceback
    override def showsLocals: Boolean = tellsLocals
    override def others: Map[String, String] = workerVariables
    override def artifacts: String = jobArtifactUUID.getOrElse(WorkerEnvironment.NoArtifacts)
    override def faultFolder: Option[String] = SessionRunner.this.faultFolder.map(_.toString)
    override def tracebackSeconds: Long = SessionRunner.this.tracebackSeconds
    override def killsOnFlushFailure: Boolean = killsUnflushed
  }
}
