package org.apache.spark.sql.execution.python.ember.external

import java.util.Collections
import java.util.zip.CRC32

import scala.jdk.CollectionConverters._

import org.apache.arrow.vector.types.pojo.Schema

import org.apache.spark.TaskContext
import org.apache.spark.api.python.{ChainedPythonFunctions, PythonEvalType, SimplePythonFunction}
import org.apache.spark.sql.execution.metric.SQLMetric
import org.apache.spark.sql.execution.python.{ArrowPythonRunner, BatchedPythonArrowInput}
import org.apache.spark.sql.execution.python.ember.{EmbeddedRunner, OpenedSession}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.ArrowUtils
import org.apache.spark.udf.worker.{Init, UDFWorkerDataFormat}

import dev.ember.reason.FallbackReason
import dev.ember.rows.{OutputVectors, RowBatches}
import dev.ember.session.JarStarter

/** What an `Init` asks for cannot be done. */
final class ProtocolViolation(words: String) extends RuntimeException(words)

/** A function as an `Init` brings it. */
final case class ExternalFunction(
    name: String,
    evalType: Int,
    python: SimplePythonFunction,
    wire: WireForm,
    timeZone: String,
    settings: Map[String, String])

object ExternalFunction {

  /** PySpark's pickle of a function and its result type. */
  val Format = "cloudpickle"

  /** Those whose input is one stream of batches. */
  private val kinds: Map[String, Int] = Seq(
    PythonEvalType.SQL_MAP_PANDAS_ITER_UDF,
    PythonEvalType.SQL_MAP_ARROW_ITER_UDF,
    PythonEvalType.SQL_ARROW_BATCHED_UDF,
    PythonEvalType.SQL_SCALAR_PANDAS_UDF,
    PythonEvalType.SQL_SCALAR_PANDAS_ITER_UDF,
    PythonEvalType.SQL_SCALAR_ARROW_UDF,
    PythonEvalType.SQL_SCALAR_ARROW_ITER_UDF)
    .map(kind => PythonEvalType.toString(kind) -> kind)
    .toMap

  private val wrapped =
    Set(PythonEvalType.SQL_MAP_PANDAS_ITER_UDF, PythonEvalType.SQL_MAP_ARROW_ITER_UDF)

  /** Throws a [[ProtocolViolation]] that says what is wrong with it. */
  def read(init: Init, worker: PythonWorkerOf): ExternalFunction = {
    require(init.getDataFormat == UDFWorkerDataFormat.ARROW, "its batches are not Arrow's")
    require(!init.getIsChunkingPayload, "its function comes in chunks")
    require(init.hasInputSchema, "it does not tell the schema of its input")
    val udf = init.getUdf
    require(
      udf.getFormat == Format,
      s"its function is written as '${udf.getFormat}', not '$Format'")
    require(sound(init), "its function is not the one that was sent: the sums differ")
    val kind = kinds.getOrElse(
      udf.getEvalType,
      throw new ProtocolViolation(s"functions of the kind '${udf.getEvalType}' are not run so"))
    val schema = schemaOf(init)
    ExternalFunction(
      if (udf.hasName) udf.getName else "function",
      kind,
      python(udf.getPayload.toByteArray, worker),
      WireForm(schema, wrapped(kind)),
      if (init.hasTimezone) init.getTimezone else SQLConf.get.sessionLocalTimeZone,
      init.getSessionConfMap.asScala.toMap)
  }

  private def require(condition: Boolean, words: String): Unit =
    if (!condition) throw new ProtocolViolation(words)

  private def sound(init: Init): Boolean = !init.getUdf.hasPayloadCrc32 || {
    val sum = new CRC32
    sum.update(init.getUdf.getPayload.toByteArray)
    sum.getValue.toInt == init.getUdf.getPayloadCrc32
  }

  private def schemaOf(init: Init): Schema =
    try OutputVectors.schemaOf(init.getInputSchema.toByteArray)
    catch {
      case unreadable: Exception =>
        throw new ProtocolViolation(s"its schema cannot be read: ${unreadable.getMessage}")
    }

  /** Of what an `Init` does not bring there is nothing: broadcasts, files, an accumulator. */
  private def python(command: Array[Byte], worker: PythonWorkerOf): SimplePythonFunction = {
    val variables = new java.util.HashMap[String, String](worker.environment)
    val facts = JarStarter.facts(worker.executable, worker.environment.asScala.toMap)
    SimplePythonFunction(
      command = command.toIndexedSeq,
      envVars = variables,
      pythonIncludes = Collections.emptyList(),
      pythonExec = worker.executable,
      pythonVer = facts.fold(why => throw new ProtocolViolation(why.toString), _.version),
      broadcastVars = Collections.emptyList(),
      accumulator = null)
  }
}

/** Spark's runner of such a function, for its half of the protocol with Python, and Ember's gate. */
final class ExternalRunner(function: ExternalFunction, measures: ExternalRunner.Measures)
    extends ArrowPythonRunner(
      Seq((ChainedPythonFunctions(Seq(function.python)), 0L)),
      function.evalType,
      Array(function.wire.offsets),
      ExternalRunner.sparksSchema(function.wire.sent),
      function.timeZone,
      SQLConf.get.arrowUseLargeVarTypes,
      ArrowPythonRunner.getPythonRunnerConfMap(SQLConf.get) ++ function.settings,
      measures.all,
      None,
      None)
    with BatchedPythonArrowInput
    with EmbeddedRunner {
  def this(function: ExternalFunction) = this(function, new ExternalRunner.Measures)

  override protected def functionNames: Seq[String] = Seq(function.name)
  override private[ember] def batchLimits: Option[RowBatches.Limits] = None
  override protected def sentSchema: Schema = function.wire.sent

  def open(context: TaskContext): Either[FallbackReason, OpenedSession] =
    enter(context.partitionId(), context)(_.open(_, _, _, _))

  /** What was measured, for the end of the session. */
  def figures: () => Map[String, String] = () => measures.told
}

object ExternalRunner {

  /** Spark's measures of a runner, which belong to no node here. */
  final class Measures {
    val all: Map[String, SQLMetric] = Seq(
      "pythonDataSent",
      "pythonDataReceived",
      "pythonBootTime",
      "pythonInitTime",
      "pythonTotalTime",
      "pythonProcessingTime",
      "pythonNumRowsReceived").map(_ -> new SQLMetric("sum")).toMap

    def told: Map[String, String] = all.map { case (name, measure) =>
      name -> measure.value.toString
    }
  }

  private def sparksSchema(schema: Schema): StructType = ArrowUtils.fromArrowSchema(schema)
}
