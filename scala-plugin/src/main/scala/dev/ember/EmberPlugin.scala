package dev.ember

import java.nio.file.Paths
import java.util.Collections

import scala.util.control.NonFatal

import org.apache.spark.{SPARK_VERSION, SparkConf, SparkContext, SparkEnv}
import org.apache.spark.api.plugin.{DriverPlugin, ExecutorPlugin, PluginContext, SparkPlugin}
import org.apache.spark.internal.Logging
import org.apache.spark.sql.execution.python.ember.{ClusterView, WorkerEnvironment}
import org.apache.spark.sql.execution.python.ember.external.ExternalWorkers
import org.apache.spark.ui.ember.EmberTab

import dev.ember.clients.{ClientEnds, ClientLink}
import dev.ember.config.EmberConf
import dev.ember.contain.{CrashJournal, DriverLink, Growth, Quarantine, QuarantineBook}
import dev.ember.explain.EmberExplain
import dev.ember.nativeapi.PythonFacts
import dev.ember.reason.FallbackReason
import dev.ember.session.{Admission, ExecutorLane, JarStarter, SessionWatch, WorkerLane}
import dev.ember.status.{
  DriverStatus,
  ExecutorFacts,
  ExecutorLedger,
  StatusBook,
  StatusLink,
  StatusReporter
}

/** What a user names in `spark.plugins`; it does all the rest. */
class EmberPlugin extends SparkPlugin {
  override def driverPlugin(): DriverPlugin = new EmberDriver
  override def executorPlugin(): ExecutorPlugin = new EmberExecutor
}

object EmberPlugin {

  /** Spark's internals, which the plugin is made of, differ from line to line. */
  private[ember] val sparkLine = "4.3."

  /** Why Ember does nothing in this Spark, if it is another than it was built for. */
  private[ember] def otherSpark: Option[String] =
    Option.unless(SPARK_VERSION.startsWith(sparkLine))(
      s"it was built for Spark ${sparkLine}x, not $SPARK_VERSION")
}

/** Adds the plan rule to the settings that sessions are made from; none has been made yet. */
private[ember] final class EmberDriver extends DriverPlugin with Logging {
  override def init(context: SparkContext, plugin: PluginContext): java.util.Map[String, String] = {
    val conf = plugin.conf()
    EmberConf.read(
      conf.getOption): Unit // a wrong setting stops the application here, not a query later
    if (EmberPlugin.otherSpark.isEmpty) {
      append(conf, "spark.sql.extensions", EmberExtensions.name)
      append(conf, "spark.sql.extendedExplainProviders", classOf[EmberExplain].getName)
    }
    EmberPlugin.otherSpark.foreach(why => logWarning(s"Ember does nothing: $why"))
    show(context, keepBooks(new ClusterView(context)))
    Collections.emptyMap()
  }

  override def receive(message: AnyRef): AnyRef = DriverStatus.get.map(_.receive(message)).orNull

  private def keepBooks(view: ClusterView): DriverStatus = {
    val quarantine = new QuarantineBook(view.isAlive, logWarning(_))
    val books = DriverStatus(new StatusBook, quarantine)
    view.whenLost(books.lost)
    view.whenClientsEnd(books.clients)
    DriverStatus.set(books)
    books
  }

  private def show(context: SparkContext, books: DriverStatus): Unit =
    if (EmberPlugin.otherSpark.isEmpty)
      try EmberTab.attach(context, books)
      catch {
        case error @ (NonFatal(_) | _: LinkageError) =>
          logWarning("Ember has no page in the web UI", error)
      }

  private def append(conf: SparkConf, key: String, name: String): Unit = {
    val names = conf.getOption(key).toSeq.flatMap(_.split(",")).map(_.trim).filter(_.nonEmpty)
    if (!names.contains(name)) conf.set(key, (names :+ name).mkString(",")): Unit
  }
}

/** Finds out once, beside the start of the executor, whether its Python can be embedded. Never fails it. */
private[ember] final class EmberExecutor extends ExecutorPlugin with Logging {
  private var journal: Option[CrashJournal] = None
  private var ends: Option[ClientEnds] = None

  override def init(plugin: PluginContext, extra: java.util.Map[String, String]): Unit = {
    contain(plugin)
    speakSparksProtocol(plugin.conf())
    val status =
      new StatusReporter(StatusLink.to(plugin), ExecutorLedger, SessionWatch, now)
    status.start()
    letGo(plugin)
    val probe = new Thread(() => report(plugin.conf(), status), "ember-probe")
    probe.setDaemon(true)
    probe.start()
  }

  override def shutdown(): Unit = {
    ends.foreach(_.close())
    journal.foreach(_.delete())
  }

  /** With a local master nothing outlives this process that could read a journal. */
  private def contain(plugin: PluginContext): Unit =
    try {
      val conf = EmberConf.read(plugin.conf().getOption)
      val driver = DriverLink.to(plugin)
      if (!ClusterView.isDriver(plugin.executorID())) journal = open(plugin)
      val growth = Growth.ofProcess(conf.embeddedLeakMegabytes.toLong << 20)
      Quarantine.connect(driver, journal, growth)
      journal.foreach(_.leftBehind().foreach(driver.found))
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember could not get ready to contain functions", error)
    }

  private def letGo(plugin: PluginContext): Unit = {
    val idleMs = EmberConf.ProcessIdleSeconds.read(plugin.conf().getOption) * 1000L
    ends = Some(new ClientEnds(WorkerLane, ClientLink.to(plugin), idleMs))
    ends.foreach(_.start())
  }

  private def speakSparksProtocol(conf: SparkConf): Unit =
    if (EmberConf.Enabled.read(conf.getOption) && EmberPlugin.otherSpark.isEmpty)
      ExternalWorkers.install(SparkEnv.get): Unit

  private def open(plugin: PluginContext): Option[CrashJournal] = {
    val folder = Paths.get(ClusterView.sharedFolder(plugin.conf()))
    val made =
      CrashJournal.create(folder, plugin.conf().getAppId, plugin.executorID())
    made.foreach(journal =>
      Runtime.getRuntime.addShutdownHook(new Thread(() => journal.delete(), "ember-journal")))
    made
  }

  private def now(facts: ExecutorFacts): ExecutorFacts = facts.copy(
    host = ClusterView.ownHost,
    residentBytes = Growth.resident(),
    abandoned = ExecutorLane.abandoned,
    workers = WorkerLane.processes,
    clients = WorkerLane.sessions.size)

  private def report(conf: SparkConf, status: StatusReporter): Unit =
    try {
      Admission.ofSettings(EmberConf.read(conf.getOption)) match {
        case Some(reason) =>
          status.found(ExecutorFacts(problem = Some(reason.toString)))
          say(s"Ember is not used: $reason")
        case None if EmberPlugin.otherSpark.nonEmpty => ()
        case None =>
          val python = configuredPython(conf)
          val found = probe(python)
          status.found(factsOf(python, found))
          say(words(found))
      }
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember could not look for Python", error)
    }

  /** The one line of an executor. A warning, because a plain `python app.py` shows nothing less. */
  private def say(line: String): Unit = logWarning(line)

  private def probe(python: String): Either[FallbackReason, PythonFacts] = {
    val environment =
      Map("PYTHONPATH" -> WorkerEnvironment.pythonPath(None), "PYTHONHASHSEED" -> "0")
    JarStarter.facts(python, environment)
  }

  private def words(found: Either[FallbackReason, PythonFacts]): String = found match {
    case Right(facts) =>
      val python = s"Python ${facts.fullVersion} at ${facts.executable}"
      facts.libpython match {
        case Right(library) =>
          s"Ember can run functions in this executor: $python, library $library"
        case Left(problem) =>
          s"Ember can run functions in worker processes of its own: $python, $problem"
      }
    case Left(reason) => s"Ember leaves functions to Spark's own runner: $reason"
  }

  private def factsOf(python: String, found: Either[FallbackReason, PythonFacts]): ExecutorFacts =
    found match {
      case Right(facts) =>
        ExecutorFacts(
          python = Some(facts.executable),
          version = Some(facts.fullVersion),
          library = facts.libpython.toOption,
          problem = facts.libpython.left.toOption)
      case Left(reason) => ExecutorFacts(python = Some(python), problem = Some(reason.toString))
    }

  /** As PySpark's driver would choose it; a function brings the final word. */
  private def configuredPython(conf: SparkConf): String = conf
    .getOption("spark.pyspark.python")
    .orElse(sys.env.get("PYSPARK_PYTHON"))
    .getOrElse("python3")
}
