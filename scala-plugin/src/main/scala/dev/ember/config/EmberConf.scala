package dev.ember.config

import org.apache.spark.SparkEnv
import org.apache.spark.sql.internal.SQLConf

/** Where the user wants functions to run. */
sealed trait Lane

object Lane {
  case object Auto extends Lane
  case object Embedded extends Lane
  case object Process extends Lane
  case object Spark extends Lane

  val words: Seq[(String, Lane)] =
    Seq("auto" -> Auto, "embedded" -> Embedded, "process" -> Process, "spark" -> Spark)
}

/** What may run in an executor. */
sealed trait Isolation

object Isolation {

  /** What is not known to do harm. */
  case object Trusting extends Isolation

  /** What has made a batch elsewhere in the same application. */
  case object Cautious extends Isolation

  val words: Seq[(String, Isolation)] = Seq("trusting" -> Trusting, "cautious" -> Cautious)
}

/** Whose functions may meet in one process. */
sealed trait Trust

object Trust {

  /** Those of one client's session; and the executor's own process is no function's. */
  case object Nobody extends Trust

  /** Those of one client's session. */
  case object Session extends Trust

  /** Those of one user's sessions, too, where these bring no files. */
  case object User extends Trust

  /** Those of all sessions that bring no files. */
  case object Application extends Trust

  val words: Seq[(String, Trust)] =
    Seq("nobody" -> Nobody, "session" -> Session, "user" -> User, "application" -> Application)
}

/** Every setting of Ember, as it holds for one session. */
final case class EmberConf(
    enabled: Boolean,
    lane: Lane,
    isolation: Isolation,
    trust: Trust,
    embeddedTasks: Int,
    embeddedAbandoned: Int,
    embeddedLeakMegabytes: Int,
    pipelineEnabled: Boolean,
    pipelineDepth: Int,
    nativeDir: Option[String],
    cancelGraceSeconds: Int,
    probeTimeoutSeconds: Int,
    processIdleSeconds: Int,
    processResidentMegabytes: Int,
    unifiedNode: Boolean) {

  /** Batches that may wait on each side of a function; 0 if none is prepared ahead. */
  def batchesAhead: Int = if (pipelineEnabled) pipelineDepth else 0
}

object EmberConf {
  val Enabled: Setting[Boolean] = new Setting(
    key = "spark.ember.enabled",
    default = true,
    unit = "true or false",
    doc = "Whether Ember looks at plans at all.")(Setting.boolean)

  val LaneChoice: Setting[Lane] = new Setting[Lane](
    key = "spark.ember.lane",
    default = Lane.Auto,
    unit = Lane.words.map(_._1).mkString(" | "),
    doc =
      "Where functions run: in the executor, in a process of Ember's, or on Spark's own runner.")(
    Setting.word(Lane.words))

  val EmbeddedTasks: Setting[Int] = new Setting(
    key = "spark.ember.embedded.tasks",
    default = 1,
    unit = "tasks",
    doc = "How many tasks of one executor may run functions in it at the same time before it is known whether " +
      "they wait for one another. They share one interpreter lock, so more is not always faster.")(
    Setting.positiveInt)

  val IsolationChoice: Setting[Isolation] = new Setting[Isolation](
    key = "spark.ember.isolation",
    default = Isolation.Trusting,
    unit = Isolation.words.map(_._1).mkString(" | "),
    doc =
      "Whether a function that the application does not know yet may run in an executor, or has to make " +
        "a batch in a worker process first. Only for the lane auto.")(Setting.word(Isolation.words))

  val TrustChoice: Setting[Trust] = new Setting[Trust](
    key = "spark.ember.trust",
    default = Trust.Session,
    unit = Trust.words.map(_._1).mkString(" | "),
    doc = "Whose functions may meet in one process: those of one session of a Spark Connect client; of one user's " +
      "sessions, or of all, as far as these bring no files; or of one session, and nothing runs in executors. An " +
      "application without clients is one session. Holds for the application; no session can change it.")(
    Setting.word(Trust.words))

  val EmbeddedAbandoned: Setting[Int] = new Setting(
    key = "spark.ember.embedded.abandoned",
    default = 4,
    unit = "threads",
    doc =
      "With so many cancelled functions that have not stopped, an executor takes in no further one.")(
    Setting.positiveInt)

  val EmbeddedLeakMegabytes: Setting[Int] = new Setting(
    key = "spark.ember.embedded.leakMegabytes",
    default = 1024,
    unit = "MiB",
    doc =
      "When an executor holds this much more memory than its JVM can, the function that it grew most with " +
        "is kept out of executors.")(Setting.positiveInt)

  val PipelineEnabled: Setting[Boolean] = new Setting(
    key = "spark.ember.pipeline.enabled",
    default = true,
    unit = "true or false",
    doc = "Whether the next batches are prepared while the function works on one.")(Setting.boolean)

  val PipelineDepth: Setting[Int] = new Setting(
    key = "spark.ember.pipeline.depth",
    default = 2,
    unit = "batches",
    doc = "How many batches may wait on each side of a running function; of small ones more may.")(
    Setting.positiveInt)

  val NativeDir: Setting[Option[String]] = new Setting[Option[String]](
    key = "spark.ember.native.dir",
    default = None,
    unit = "a folder",
    doc = "For developers: take the native libraries from this folder and not from the jar.")(
    Setting.folder)

  val CancelGraceSeconds: Setting[Int] = new Setting(
    key = "spark.ember.cancel.graceSeconds",
    default = 2,
    unit = "seconds",
    doc = "How long a cancelled function may take to stop before its thread is abandoned.")(
    Setting.seconds)

  val ProbeTimeoutSeconds: Setting[Int] = new Setting(
    key = "spark.ember.probe.timeoutSeconds",
    default = 60,
    unit = "seconds",
    doc = "How long the configured Python may take to say what it is.")(Setting.positiveInt)

  val ProcessIdleSeconds: Setting[Int] = new Setting(
    key = "spark.ember.process.idleSeconds",
    default = 60,
    unit = "seconds",
    doc = "How long a worker process without a session is kept for the next one.")(Setting.seconds)

  val ProcessResidentMegabytes: Setting[Int] = new Setting(
    key = "spark.ember.process.residentMegabytes",
    default = 2048,
    unit = "MiB",
    doc = "A worker process that holds more memory than this after a session serves no other.")(
    Setting.positiveInt)

  val UnifiedNode: Setting[Boolean] = new Setting(
    key = "spark.ember.unified.node",
    default = true,
    unit = "true or false",
    doc =
      "Whether maps stay Spark's own node where unified functions are turned on and protobuf-java is on the class " +
        "path; else they are planned as without unified functions. The answers are the same.")(
    Setting.boolean)

  /** In the order in which they are documented. */
  val all: Seq[Setting[?]] = Seq(
    Enabled,
    LaneChoice,
    IsolationChoice,
    TrustChoice,
    EmbeddedTasks,
    EmbeddedAbandoned,
    EmbeddedLeakMegabytes,
    PipelineEnabled,
    PipelineDepth,
    NativeDir,
    CancelGraceSeconds,
    ProbeTimeoutSeconds,
    ProcessIdleSeconds,
    ProcessResidentMegabytes,
    UnifiedNode)

  /** Throws [[InvalidSetting]]. */
  def read(source: String => Option[String]): EmberConf = EmberConf(
    enabled = Enabled.read(source),
    lane = LaneChoice.read(source),
    isolation = IsolationChoice.read(source),
    trust = TrustChoice.read(source),
    embeddedTasks = EmbeddedTasks.read(source),
    embeddedAbandoned = EmbeddedAbandoned.read(source),
    embeddedLeakMegabytes = EmbeddedLeakMegabytes.read(source),
    pipelineEnabled = PipelineEnabled.read(source),
    pipelineDepth = PipelineDepth.read(source),
    nativeDir = NativeDir.read(source),
    cancelGraceSeconds = CancelGraceSeconds.read(source),
    probeTimeoutSeconds = ProbeTimeoutSeconds.read(source),
    processIdleSeconds = ProcessIdleSeconds.read(source),
    processResidentMegabytes = ProcessResidentMegabytes.read(source),
    unifiedNode = UnifiedNode.read(source))

  /**
   * The settings of the session that plans, or of the query whose task this thread runs. Spark carries a
   * session's `spark.*` settings to its tasks; what it does not carry is in the application's. What protects
   * sessions from one another is the application's alone.
   */
  def current: EmberConf = {
    val session = SQLConf.get
    read(key =>
      if (key == TrustChoice.key) ofApplication(key)
      else Option(session.getConfString(key, null)).orElse(ofApplication(key)))
  }

  private def ofApplication(key: String): Option[String] =
    Option(SparkEnv.get).flatMap(_.conf.getOption(key))
}
