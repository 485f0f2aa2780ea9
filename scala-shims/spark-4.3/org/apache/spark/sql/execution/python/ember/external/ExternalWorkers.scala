package org.apache.spark.sql.execution.python.ember.external

import scala.util.control.NonFatal

import org.apache.spark.SparkEnv
import org.apache.spark.internal.Logging
import org.apache.spark.udf.worker.core.UDFDispatcherManager
import org.apache.spark.util.SparkUDFWorkerLogger

/**
 * Makes Ember the one who makes workers for Spark's own protocol, `org.apache.spark.udf.worker`.
 *
 * Its messages are protobuf, which no distribution of Spark 4.3.0 brings, so this is the only class of the package that is
 * loaded where protobuf is not there.
 */
object ExternalWorkers extends Logging {
  private val Protobuf = "com.google.protobuf.Message"

  /** Whether the classes of the protocol can be loaded, where Spark's own are. */
  def available: Boolean =
    try {
      Class.forName(Protobuf, false, classOf[SparkEnv].getClassLoader)
      true
    } catch { case _: ClassNotFoundException | _: LinkageError => false }

  /** Gives this process's Spark a factory, where it has none and the protocol can be spoken. Never throws. */
  def install(env: SparkEnv): Boolean = available && {
    try {
      val absent = manager(env).isEmpty
      if (absent) give(env)
      absent
    } catch {
      case error @ (NonFatal(_) | _: LinkageError) =>
        logWarning("Ember cannot make workers for Spark's protocol of external functions", error)
        false
    }
  }

  private def give(env: SparkEnv): Unit = {
    val made = new UDFDispatcherManager(new ExternalDispatcherFactory, new SparkUDFWorkerLogger)
    field.set(env, Some(made))
  }

  private def manager(env: SparkEnv): Option[?] = field.get(env).asInstanceOf[Option[?]]

  /** Spark makes a manager at the first question, around a factory that refuses everything; nothing sets another. */
  private lazy val field = {
    val found = classOf[SparkEnv].getDeclaredField("udfDispatcherManager")
    found.setAccessible(true)
    found
  }
}
