package dev.ember.session

import java.util.concurrent.ConcurrentHashMap

import scala.util.control.NonFatal

import com.fasterxml.jackson.databind.ObjectMapper

import org.apache.spark.{SparkConf, SparkEnv}

import dev.ember.config.EmberConf
import dev.ember.nativeapi.{
  JniNative,
  JniWorkers,
  Native,
  NativeApi,
  NativeException,
  NativeLibraries,
  PythonFacts
}
import dev.ember.reason.FallbackReason

/** Starts interpreters from the plugin's jar. What was found is kept for the process; settings are the application's. */
object JarStarter extends LaneStarter with WorkerStarter {
  private val json = new ObjectMapper
  private val known = new ConcurrentHashMap[String, PythonFacts]
  private val useless = new ConcurrentHashMap[String, Useless]
  private def conf: SparkConf = SparkEnv.get.conf
  private def settings: EmberConf = EmberConf.read(conf.getOption)
  private val libraries = new JarLibraries(python =>
    NativeLibraries
      .install(localDirs, settings.nativeDir, python, settings.probeTimeoutSeconds))

  /**
   * What `python` says about itself, or why it is of no use. One that is not there is looked for each time, since an
   * environment may come later, as an archive; one that is of no use is asked again after a while.
   */
  def facts(python: String, environment: Map[String, String]): Either[FallbackReason, PythonFacts] =
    libraries.loadedWith(python).flatMap { installed =>
      Option(known.get(python))
        .map(Right(_))
        .orElse(Option(useless.get(python))
          .filterNot(_.isOver(System.nanoTime()))
          .map(found => Left(found.why)))
        .getOrElse(asked(python, installed, environment))
    }

  private def asked(
      python: String,
      installed: NativeLibraries.Installed,
      environment: Map[String, String]): Either[FallbackReason, PythonFacts] = {
    val told = PythonFacts
      .probe(python, installed.factsScript, environment, settings.probeTimeoutSeconds)
      .left
      .map(FallbackReason.NoPython(_))
    told match {
      case Right(found) => known.put(python, found): Unit
      case Left(why) if Useless.stands(python) =>
        useless.put(python, Useless(why, System.nanoTime())): Unit
      case Left(_) => ()
    }
    told
  }

  override def start(key: LaneKey, environment: Map[String, String]): Either[NotStarted, Native] =
    found(key, environment).left.map(NotStarted(_, forGood = false)).flatMap {
      case (installed, python, bridge) =>
        begin(python, bridge, config(python, installed, environment)).left
          .map(NotStarted(_, forGood = true))
    }

  /** The libraries, what the Python of `key` says of itself, and the path of its bridge. */
  private def found(key: LaneKey, environment: Map[String, String])
      : Either[FallbackReason, (NativeLibraries.Installed, PythonFacts, String)] =
    for {
      installed <- libraries.loadedWith(key.python)
      python <- facts(key.python, environment)
      bridge <- installed
        .bridge(python.version)
        .toRight(FallbackReason.NoPython(s"there is no bridge for Python ${python.version}"))
    } yield (installed, python, bridge.toString)

  /** Lent memory comes back by numbers that are one sequence for the process, whichever lane it was lent to. */
  override lazy val lent: LentBatches = new LentBatches(JniNative)

  override def lent(native: Native): LentBatches = lent

  override def workers(
      key: LaneKey,
      environment: Map[String, String]): Either[FallbackReason, Native] =
    found(key, environment).flatMap { case (installed, python, bridge) =>
      describe(python, key, bridge, installed, environment)
    }

  override def processes: Int = if (libraries.areLoaded) NativeApi.workerProcesses() else 0

  override def end(): Unit = if (libraries.areLoaded) NativeApi.letZygotesGo()

  private def describe(
      python: PythonFacts,
      key: LaneKey,
      bridge: String,
      installed: NativeLibraries.Installed,
      environment: Map[String, String]): Either[FallbackReason, Native] =
    try {
      val workers = json
        .createObjectNode()
        .put("executable", python.executable)
        .put("bridge", bridge)
        .put("workerPackage", installed.python.toString)
        .put("scope", s"${key.scope} by the name ${key.python}")
        .put("brought", key.scope.brings(python.executable))
        .put("idleSeconds", settings.processIdleSeconds)
        .put("residentBytes", settings.processResidentMegabytes.toLong << 20)
        .put("startSeconds", settings.probeTimeoutSeconds)
      val variables = workers.putObject("environment")
      environment.foreach { case (name, value) => variables.put(name, value) }
      Right(new JniWorkers(json.writeValueAsBytes(workers)))
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        Left(FallbackReason.NoWorkers(FallbackReason.oneLine(error)))
    }

  private def begin(
      python: PythonFacts,
      bridge: String,
      config: Array[Byte]): Either[FallbackReason, Native] =
    try {
      python.libpython.left.map(FallbackReason.NoPython(_)).map { library =>
        JniNative.start(library, bridge, config)
        JniNative
      }
    } catch {
      case refused: NativeException if refused.code == NativeException.UNAVAILABLE =>
        Left(FallbackReason.NoPython(refused.getMessage))
      case error @ (NonFatal(_) | _: LinkageError) =>
        Left(FallbackReason.StartFailed(FallbackReason.oneLine(error)))
    }

  private def config(
      python: PythonFacts,
      installed: NativeLibraries.Installed,
      environment: Map[String, String]): Array[Byte] = {
    val config = json
      .createObjectNode()
      .put("executable", python.executable)
      .put("version", python.version)
      .put("fullVersion", python.fullVersion)
      .put("pythonPath", environment.getOrElse("PYTHONPATH", ""))
      .put("workerPackage", installed.python.toString)
    val variables = config.putObject("environment")
    environment.foreach { case (name, value) => variables.put(name, value) }
    json.writeValueAsBytes(config)
  }

  /**
   * Spark's scratch folders, as the executor's environment or the settings name them. A standalone worker
   * deletes those of SPARK_EXECUTOR_DIRS itself, whatever became of the executor.
   */
  private def localDirs: Seq[String] = {
    val ofWorker =
      sys.env.get("SPARK_EXECUTOR_DIRS").map(_.split(java.io.File.pathSeparatorChar))
    val named = sys.env
      .get("SPARK_LOCAL_DIRS")
      .orElse(sys.env.get("LOCAL_DIRS"))
      .orElse(conf.getOption("spark.local.dir"))
      .map(_.split(','))
    ofWorker.orElse(named).toSeq.flatten.map(_.trim)
  }
}

/** The lane of this process. */
object ExecutorLane extends EmbeddedLane(JarStarter)

/** The workers of this process. */
object WorkerLane extends ProcessLane(JarStarter, () => System.nanoTime() / 1000000L)
