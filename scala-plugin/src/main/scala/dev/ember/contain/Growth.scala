package dev.ember.contain

import scala.collection.mutable

import io.netty.util.internal.PlatformDependent

/**
 * Which function makes this process grow.
 *
 * What grew between two looks is put down to the functions that ran in between. Nothing is said while the JVM
 * itself may be what grows: only when the process holds `budget` bytes more than the JVM ever could.
 *
 * @param held
 *   bytes of memory that is no file's and that the process holds
 * @param jvmMost
 *   bytes of these that may be the JVM's own
 */
final class Growth(held: () => Long, jvmMost: () => Long, budget: Long) {
  private val open = mutable.Map.empty[String, Int]
  private val ran = mutable.Map.empty[String, FunctionRun]
  private val grown = mutable.Map.empty[String, Long]
  private var next = 0L
  private var last: Option[Long] = None
  private var limit: Option[Long] = None

  def begin(run: FunctionRun): Unit = synchronized {
    ran(run.fingerprint) = run
    open(run.fingerprint) = open.getOrElse(run.fingerprint, 0) + 1
  }

  def end(run: FunctionRun): Unit = synchronized {
    val left = open.remove(run.fingerprint).map(_ - 1).filter(_ > 0)
    left.foreach(count => open(run.fingerprint) = count)
  }

  /** The function that has grown most, once the process has grown too large; and what to say of it. */
  def look(nowMs: Long): Option[(FunctionRun, String)] = synchronized {
    if (nowMs < next || ran.isEmpty) None
    else {
      next = nowMs + Growth.PeriodMs
      val bytes = held()
      last.foreach(before => ran.keys.foreach(add(_, bytes - before)))
      last = Some(bytes)
      val found = if (bytes > limit.getOrElse(jvmMost() + budget)) worst(bytes) else None
      ran --= ran.keys.filterNot(open.contains).toSeq
      found
    }
  }

  private def add(function: String, bytes: Long): Unit =
    if (grown.contains(function) || grown.size < Growth.Most)
      grown(function) = grown.getOrElse(function, 0L) + bytes

  private def worst(bytes: Long): Option[(FunctionRun, String)] = for {
    (function, growth) <- grown.filter(one => ran.contains(one._1)).toSeq.sortBy(-_._2).headOption
    if growth > budget / 2
    run <- ran.get(function)
  } yield {
    limit = Some(bytes + budget / 4)
    grown -= function
    val megabytes = growth >> 20
    run -> s"the executor grew by $megabytes MiB while it ran"
  }
}

object Growth {
  private val PeriodMs = 1000L
  private val Most = 1000

  /** That of this process, in which Spark may hold so many bytes outside of the heap. */
  def ofProcess(budget: Long, offHeap: Long): Growth =
    new Growth(anonymous _, () => jvmMost() + offHeap, budget)

  /** `RssAnon` of this process: shared pages and files are not counted. */
  private def anonymous(): Long = ofStatus("RssAnon:")

  /** All memory of this process that lies in RAM, in bytes. */
  def resident(): Long = ofStatus("VmRSS:")

  /** A line of `/proc/self/status`, in bytes. */
  private def ofStatus(name: String): Long = {
    val source = scala.io.Source.fromFile("/proc/self/status")
    try
      source
        .getLines()
        .find(_.startsWith(name))
        .fold(0L)(_.split("\\s+")(1).toLong << 10)
    finally source.close()
  }

  /**
   * The whole heap, for parts of it may be touched at any time; code and classes; buffers outside of it. Of those of
   * Netty's, which Arrow's are made of, too, the JVM does not always know.
   */
  private[contain] def jvmMost(): Long = {
    import java.lang.management.{BufferPoolMXBean, ManagementFactory}
    import scala.jdk.CollectionConverters._
    val outside = ManagementFactory.getMemoryMXBean.getNonHeapMemoryUsage.getCommitted
    val buffers =
      ManagementFactory
        .getPlatformMXBeans(classOf[BufferPoolMXBean])
        .asScala
        .map(_.getTotalCapacity)
    val netty = math.max(0L, PlatformDependent.usedDirectMemory())
    Runtime.getRuntime.maxMemory + outside + buffers.sum + netty
  }
}
