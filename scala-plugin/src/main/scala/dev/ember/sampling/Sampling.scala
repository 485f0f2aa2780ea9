package dev.ember.sampling

import java.io.IOException
import java.nio.file.{Files, Path}

import org.apache.spark.sql.execution.python.ember.ClusterView

/** One look at the tasks of this process, from its start to its stop. */
final class Sampling private (intervalMs: Int, folder: Path) {
  private val sampler = new TaskSampler(intervalMs)

  private def variables = Map(Sampling.Variable -> s"$intervalMs:${System.nanoTime()}:$folder")

  private def stop(): Map[Stack, Long] =
    JoinedStacks.of(sampler.stop(), SessionStacks.take(folder))
}

/** There is one at a time. */
object Sampling {

  /** In a session's environment: how often, when it opened, where to. `ember_worker.sampling` takes it out again. */
  val Variable = "EMBER_SAMPLING"

  val MostMs = 1000

  @volatile private var current: Option[Sampling] = None

  /** What a session that opens now is told. */
  def variables: Map[String, String] = current.fold(Map.empty[String, String])(_.variables)

  /** Begins to look every so many milliseconds, or says why not. */
  def start(intervalMs: Int): Either[String, Unit] = synchronized {
    obstacle(intervalMs).toLeft {
      val sampling = new Sampling(intervalMs, Files.createTempDirectory("ember-samples"))
      sampling.sampler.start()
      current = Some(sampling)
    }
  }

  /** Ends it, and gives what was seen. */
  def stop(): Either[String, Map[Stack, Long]] = synchronized {
    val ended = current
    current = None
    ended.toRight("nothing is being sampled").flatMap { sampling =>
      try Right(sampling.stop())
      catch { case failed: IOException => Left(s"the samples cannot be read: $failed") }
    }
  }

  private def obstacle(intervalMs: Int): Option[String] =
    if (intervalMs < 1 || intervalMs > MostMs)
      Some(s"an interval is 1 to $MostMs milliseconds, not $intervalMs")
    else if (current.nonEmpty) Some("tasks are being sampled already; that must end first")
    else if (!ClusterView.application.exists(new ClusterView(_).isLocal))
      Some(
        "tasks run in processes of their own here; they can be sampled with a local master alone")
    else None
}
