package dev.ember.reason

/**
 * Why something is not embedded: a line of EXPLAIN for a node, a metric and a log line for a session.
 *
 * @param name
 *   stable: metrics and tests refer to it
 * @param words
 *   for users; says what they could change
 */
sealed abstract class FallbackReason(val name: String, val words: String)
    extends Product
    with Serializable {
  override def toString: String = s"$name: $words"
}

object FallbackReason {

  // Known when the query is planned.
  case object Disabled extends FallbackReason("Disabled", "spark.ember.enabled is false")

  case object LaneIsSpark extends FallbackReason("LaneIsSpark", "spark.ember.lane is spark")

  final case class KindNotEmbedded(kind: String)
      extends FallbackReason("KindNotEmbedded", s"$kind is not a kind of function that Ember runs")

  final case class InvalidConf(problem: String) extends FallbackReason("InvalidConf", problem)

  // Known when a session is about to open.
  case object EncryptedBroadcasts
      extends FallbackReason(
        "EncryptedBroadcasts",
        "spark.io.encryption.enabled is true, and Spark 3.5 hands broadcasts, which large functions are too, to a " +
          "process alone")

  case object ProfilerOn
      extends FallbackReason("ProfilerOn", "a profiler is set, and it needs the process to itself")

  case object ProfilesInput
      extends FallbackReason(
        "ProfilesInput",
        "a profiler is set, and a function that pulls its input has Spark's own code in its profile")

  case object WorkerLogging
      extends FallbackReason("WorkerLogging", "worker logging reads the output of a worker process")

  case object NotTrusted
      extends FallbackReason(
        "NotTrusted",
        "spark.ember.trust keeps the function in worker processes, out of the executor")

  case object FaultHandlerOn
      extends FallbackReason(
        "FaultHandlerOn",
        "faulthandler is on, and its signal handlers would end the JVM")

  case object MemoryLimit
      extends FallbackReason(
        "MemoryLimit",
        "spark.executor.pyspark.memory limits a process, not a thread")

  case object CustomWorker
      extends FallbackReason(
        "CustomWorker",
        "another worker or daemon module of Python is configured")

  case object IdleTimeoutKills
      extends FallbackReason(
        "IdleTimeoutKills",
        "idle workers are to be killed, and a thread cannot be")

  case object OtherHashSeed
      extends FallbackReason(
        "OtherHashSeed",
        "PYTHONHASHSEED is not 0, and the interpreter was started with Spark's default")

  case object Isolated
      extends FallbackReason("Isolated", "the function asks for a process of its own")

  case object LaneBusy
      extends FallbackReason(
        "LaneBusy",
        "as many tasks as spark.ember.embedded.tasks allows run functions in this executor")

  final case class NoWorkers(problem: String)
      extends FallbackReason("NoWorkers", s"worker processes cannot be started: $problem")

  case object LaneAbandoned
      extends FallbackReason(
        "LaneAbandoned",
        "too many cancelled functions in this executor have not stopped yet")

  case object Unproven
      extends FallbackReason(
        "Unproven",
        "the function has not made a batch yet; until then one executor tries it, or none if " +
          "spark.ember.isolation is cautious")

  final case class Quarantined(why: String)
      extends FallbackReason("Quarantined", s"the function is kept out of executors: $why")

  final case class LaneBroken(problem: String)
      extends FallbackReason("LaneBroken", s"the embedded lane broke earlier: $problem")

  final case class NoPython(problem: String)
      extends FallbackReason("NoPython", s"the configured Python cannot be embedded: $problem")

  final case class NoNative(problem: String)
      extends FallbackReason("NoNative", s"the native library is not there: $problem")

  final case class StartFailed(problem: String)
      extends FallbackReason("StartFailed", s"the interpreter did not start: $problem")

  final case class OtherPython(started: String, wanted: String)
      extends FallbackReason(
        "OtherPython",
        s"$started runs in this executor, and the function needs $wanted")

  final case class OtherScope(served: String, wanted: String)
      extends FallbackReason(
        "OtherScope",
        s"this executor runs functions of $served, not of $wanted")

  case object OtherApplication
      extends FallbackReason(
        "OtherApplication",
        "an earlier application of this process has left modules in the interpreter that are not installed, or not " +
          "as they are installed now; a new driver process has a new one")

  case object OtherEnvironment
      extends FallbackReason(
        "OtherEnvironment",
        "the function has other variables than those with which modules were loaded in this executor")

  case object OtherIncludes
      extends FallbackReason(
        "OtherIncludes",
        "the function brings other Python files than those before it")

  case object ArrowBackedChild
      extends FallbackReason(
        "ArrowBackedChild",
        "the input is in Arrow's format already, which Spark sends as it is")

  case object PickleBytesLimit
      extends FallbackReason(
        "PickleBytesLimit",
        "spark.sql.execution.python.udf.maxBytesPerBatch cuts pickles by their bytes")

  case object NoNativeForm
      extends FallbackReason(
        "NoNativeForm",
        "a column of the input has a type that rows have no native conversion for")

  case object GroupedTypes
      extends FallbackReason(
        "GroupedTypes",
        "a column of the groups has a type that Ember does not send by group")

  final case class OpenFailed(problem: String)
      extends FallbackReason("OpenFailed", s"the session did not open: $problem")

  final case class Unexpected(problem: String) extends FallbackReason("Unexpected", problem)

  /** The names that a session can give. They are the keys of metrics, so the driver must know them all. */
  val ofSessions: Seq[String] = Seq(
    "Disabled",
    "LaneIsSpark",
    "InvalidConf",
    "EncryptedBroadcasts",
    "ProfilerOn",
    "ProfilesInput",
    "WorkerLogging",
    "NotTrusted",
    "FaultHandlerOn",
    "MemoryLimit",
    "CustomWorker",
    "IdleTimeoutKills",
    "OtherHashSeed",
    "Isolated",
    "LaneBusy",
    "NoWorkers",
    "LaneAbandoned",
    "Unproven",
    "Quarantined",
    "LaneBroken",
    "NoPython",
    "NoNative",
    "StartFailed",
    "OtherPython",
    "OtherScope",
    "OtherApplication",
    "OtherEnvironment",
    "OtherIncludes",
    "ArrowBackedChild",
    "PickleBytesLimit",
    "NoNativeForm",
    "GroupedTypes",
    "OpenFailed",
    "Unexpected")

  /** `error` in one line. */
  def unexpected(error: Throwable): FallbackReason = Unexpected(oneLine(error))

  def oneLine(error: Throwable): String = {
    val text =
      Option(error.getMessage).fold("")(message => s": ${message.linesIterator.take(1).mkString}")
    error.getClass.getSimpleName + text
  }
}
