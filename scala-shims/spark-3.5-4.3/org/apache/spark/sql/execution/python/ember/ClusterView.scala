package org.apache.spark.sql.execution.python.ember

import java.nio.file.{Files, Paths}

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.scheduler.{
  SparkListener,
  SparkListenerApplicationEnd,
  SparkListenerEvent,
  SparkListenerExecutorRemoved,
  SparkListenerJobEnd,
  TaskSchedulerImpl
}
import org.apache.spark.util.Utils

import dev.ember.clients.EndedSessions

/** What a driver knows of its executors. */
final class ClusterView(context: SparkContext) {

  /** Whether the scheduler still gives it tasks; it stops before a lost task is tried again. */
  def isAlive(executor: String): Boolean = context.taskScheduler match {
    case scheduler: TaskSchedulerImpl => scheduler.isExecutorAlive(executor)
    case _ => true
  }

  /** Kills an attempt of a task, if it runs: its thread is not interrupted. */
  def kill(attempt: Long, why: String): Boolean =
    context.killTaskAttempt(attempt, interruptThread = false, why)

  /** Has `heard` called with each executor that goes and Spark's words about it. */
  def whenLost(heard: (String, String) => Unit): Unit = context.addSparkListener(new SparkListener {
    override def onExecutorRemoved(removed: SparkListenerExecutorRemoved): Unit =
      heard(removed.executorId, removed.reason)
  })

  /** Has the book keep the sessions of clients that end. */
  def whenClientsEnd(book: EndedSessions): Unit = context.addSparkListener(new SparkListener {
    override def onOtherEvent(event: SparkListenerEvent): Unit = ClientEvents.note(event, book)
  })

  /** Has `heard` called when a job ends. */
  def whenJobEnds(heard: () => Unit): Unit = context.addSparkListener(new SparkListener {
    override def onJobEnd(end: SparkListenerJobEnd): Unit = heard()
  })

  /** Writes to the application's event log, if it has one. */
  def log(event: SparkListenerEvent): Unit =
    if (context.eventLogger.isDefined) context.listenerBus.post(event)

  /** Has `heard` called when the application ends. */
  def whenOver(heard: () => Unit): Unit = context.addSparkListener(new SparkListener {
    override def onApplicationEnd(end: SparkListenerApplicationEnd): Unit = heard()
  })

  /** Whether executors are this process. */
  def isLocal: Boolean = context.isLocal
}

object ClusterView {

  /** The application of this process, once Spark has made it. */
  def application: Option[SparkContext] = SparkContext.getActive

  /** Whether an executor by this name is the driver itself: the master is local. */
  def isDriver(executor: String): Boolean = executor == SparkContext.DRIVER_IDENTIFIER

  /** What Spark calls this machine. A plugin's context knows it on a driver alone: an executor's RPC has no address. */
  def ownHost: String = Utils.localHostName()

  /** Bytes that Spark may hold outside of the heap, beside buffers. */
  def offHeap(conf: SparkConf): Long = Utils.executorOffHeapMemorySizeAsMb(conf).toLong << 20

  /**
   * A folder that the executors of an application share which follow each other on a machine, where there is one. What
   * Spark makes for each executor in it goes with that.
   */
  def sharedFolder(conf: SparkConf): String =
    Utils
      .getConfiguredLocalDirs(conf)
      .find(folder => Files.isWritable(Paths.get(folder)))
      .getOrElse(Utils.getLocalDir(conf))
}
