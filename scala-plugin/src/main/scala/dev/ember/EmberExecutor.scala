package dev.ember

import java.nio.file.Paths

import scala.util.control.NonFatal

import org.apache.spark.{SparkConf, SparkEnv}
import org.apache.spark.api.plugin.{ExecutorPlugin, PluginContext}
import org.apache.spark.internal.Logging
import org.apache.spark.sql.execution.python.ember.{
  AnotherAttempt,
  ClusterView,
  External,
  WorkerEnvironment
}

import dev.ember.clients.{ClientEnds, ClientLink}
import dev.ember.config.EmberConf
import dev.ember.contain.{CrashJournal, DriverLink, Growth, Quarantine, TaskLink}
import dev.ember.nativeapi.PythonFacts
import dev.ember.reason.FallbackReason
import dev.ember.sampling.Sampling
import dev.ember.session.{Admission, ExecutorLane, JarStarter, SessionWatch, WorkerLane}
import dev.ember.status.{ExecutorFacts, ExecutorLedger, StatusLink, StatusReporter}

/** Finds out once, beside the start of the executor, whether its Python can be embedded. Never fails it. */
private[ember] final class EmberExecutor extends ExecutorPlugin with Logging {
  private var journal: Option[CrashJournal] = None
  private var ends: Option[ClientEnds] = None
  private var reporter: Option[StatusReporter] = None

  override def init(plugin: PluginContext, extra: java.util.Map[String, String]): Unit = {
    contain(plugin)
    speakSparksProtocol(plugin.conf())
    val status =
      new StatusReporter(StatusLink.to(plugin), ExecutorLedger, SessionWatch, now, counted)
    status.start()
    reporter = Some(status)
    letGo(plugin)
    val probe = new Thread(() => report(plugin.conf(), status), "ember-probe")
    probe.setDaemon(true)
    probe.start()
  }

  /** With a local master the process lives on, and another application may begin in it. */
  override def shutdown(): Unit = {
    val end = new Ending(logWarning(_, _))
    end("sampling", Sampling.stop(): Unit) // of a block that its session did not outlive
    end("reports", reporter.foreach(_.close()))
    end("the clients' sessions", ends.foreach(_.close()))
    end("worker processes", WorkerLane.end())
    end("the journal", journal.foreach(_.delete()))
  }

  /** With a local master nothing outlives this process that could read a journal. */
  private def contain(plugin: PluginContext): Unit =
    try {
      val conf = EmberConf.read(plugin.conf().getOption)
      val driver = DriverLink.to(plugin)
      AnotherAttempt.connect(TaskLink.to(plugin))
      if (!ClusterView.isDriver(plugin.executorID())) journal = open(plugin)
      val budget = conf.embeddedLeakMegabytes.toLong << 20
      val growth = Growth.ofProcess(budget, ClusterView.offHeap(plugin.conf()))
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
    if (EmberConf.Enabled.read(conf.getOption))
      External.serve(SparkEnv.get)

  private def open(plugin: PluginContext): Option[CrashJournal] = {
    val folder = Paths.get(ClusterView.sharedFolder(plugin.conf()))
    val made =
      CrashJournal.create(folder, plugin.conf().getAppId, plugin.executorID())
    made.foreach(journal =>
      Runtime.getRuntime.addShutdownHook(new Thread(() => journal.delete(), "ember-journal")))
    made
  }

  private def now(facts: ExecutorFacts): ExecutorFacts = counted(facts).copy(
    host = ClusterView.ownHost,
    residentBytes = Growth.resident(),
    abandoned = ExecutorLane.abandoned)

  private def counted(facts: ExecutorFacts): ExecutorFacts =
    facts.copy(workers = WorkerLane.processes, clients = WorkerLane.sessions.size)

  private def report(conf: SparkConf, status: StatusReporter): Unit =
    try {
      Admission.ofSettings(EmberConf.read(conf.getOption)) match {
        case Some(reason) =>
          status.found(ExecutorFacts(problem = Some(reason.toString)))
          say(s"Ember is not used: $reason")
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
