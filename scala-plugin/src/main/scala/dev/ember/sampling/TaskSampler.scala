package dev.ember.sampling

import java.util.concurrent.locks.LockSupport

import scala.annotation.tailrec
import scala.collection.mutable
import scala.util.Try

/** Looks at the threads of this process that run tasks, again and again, on a thread of its own until it is stopped. */
final class TaskSampler(intervalMs: Int) {
  private val found = mutable.Map.empty[SampledTask, mutable.Map[Stack, Long]]
  private val names = mutable.Map.empty[(String, String), String]
  private var different = 0
  @volatile private var stopped = false

  private val thread = new Thread(() => watch(System.nanoTime()), TaskSampler.Name)
  thread.setDaemon(true)

  def start(): Unit = thread.start()

  /** What it has seen. The thread has gone when this returns. */
  def stop(): Map[SampledTask, Map[Stack, Long]] = {
    stopped = true
    LockSupport.unpark(thread)
    thread.join()
    found.map { case (task, stacks) => task -> stacks.toMap }.toMap
  }

  @tailrec private def watch(last: Long): Unit = {
    LockSupport.parkNanos(intervalMs * 1000000L)
    if (!stopped) {
      val now = System.nanoTime()
      threads.foreach(each => TaskSampler.taskOf(each.getName).foreach(look(_, each, now - last)))
      watch(now)
    }
  }

  private def look(task: SampledTask, thread: Thread, nanos: Long): Unit = {
    val elements = thread.getStackTrace
    // Spark may have given the thread another task, or none, since it was asked for its name.
    if (elements.nonEmpty && TaskSampler.taskOf(thread.getName).contains(task))
      add(task, elements, nanos)
  }

  /** Adds what a task was seen at, the innermost frame first. */
  private[sampling] def add(
      task: SampledTask,
      elements: Array[StackTraceElement],
      nanos: Long): Unit = {
    val stacks = found.getOrElseUpdate(task, mutable.Map.empty)
    val frames = elements.reverseIterator.map(nameOf).toVector
    val kept = if (stacks.contains(frames)) frames else admitted(frames)
    stacks(kept) = stacks.getOrElse(kept, 0L) + nanos
  }

  private def admitted(frames: Stack): Stack =
    if (different < TaskSampler.MostStacks) {
      different += 1
      frames
    } else frames.take(1)

  /** Each name is there once, however many stacks it is in. */
  private def nameOf(frame: StackTraceElement): String = {
    val method = (frame.getClassName, frame.getMethodName)
    names.getOrElseUpdate(method, TaskSampler.nameOf(method._1, method._2))
  }

  private def threads: Array[Thread] = {
    val group = TaskSampler.root
    val room = new Array[Thread](group.activeCount() * 2 + 64)
    room.take(group.enumerate(room, true))
  }
}

object TaskSampler {
  val Name = "ember-sampler"

  /** So many different stacks are kept; of what comes after them, the outermost frame. */
  private[sampling] val MostStacks = 50000

  /** As Spark's executor calls the thread while it runs a task. */
  private val OfTask =
    """Executor task launch worker for task \S+ in stage (\S+) \(TID (\d+)\)""".r

  def taskOf(thread: String): Option[SampledTask] = thread match {
    case OfTask(stage, id) => Try(id.toLong).toOption.map(SampledTask(stage, _))
    case _ => None
  }

  private lazy val root: ThreadGroup =
    Iterator
      .iterate(Thread.currentThread().getThreadGroup)(_.getParent)
      .takeWhile(_ != null)
      .toList
      .last

  /**
   * A method is one frame, whichever of its lines ran, and is called as in its source: Scala puts the name of the class
   * before that of a private method which others of its classes call, and the JVM numbers the classes of lambdas.
   */
  private[sampling] def nameOf(owner: String, method: String): String = {
    val lambda = owner.indexOf(Lambda)
    val source = if (lambda < 0) owner else owner.take(lambda + Lambda.length)
    s"$source.${method.split(Expanded).lastOption.getOrElse(method)}"
  }

  private val Lambda = "$$Lambda"
  private val Expanded = "\\$\\$"
}
