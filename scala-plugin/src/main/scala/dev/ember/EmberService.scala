package dev.ember

import java.util.Collections

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.internal.Logging
import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.execution.python.ember.{ClusterView, LocalPluginContext}

import dev.ember.config.EmberConf

/**
 * Loads Ember where `spark.plugins` does not come through: PySpark's local Connect mode puts Spark's own plugin in its
 * place. Spark makes one of these wherever the jar is on the class path, so nothing is done unless
 * `spark.ember.enabled` was set, to true.
 */
final class EmberService extends SparkSessionExtensionsProvider with Logging {
  override def apply(extensions: SparkSessionExtensions): Unit =
    ClusterView.application.filter(context => EmberService.isAsked(context.getConf)).foreach {
      context =>
        EmberService.start(context) match {
          case Right(()) => (new EmberExtensions).apply(extensions)
          case Left(why) => logWarning(s"Ember does nothing: $why")
        }
    }
}

private object EmberService {

  /** The user's own words are asked for: the default is no answer. */
  def isAsked(conf: SparkConf): Boolean =
    conf.contains(EmberConf.Enabled.key) && EmberConf.Enabled.read(conf.getOption)

  /** Starts both halves of the plugin in this process where they are not, or says why not. */
  def start(context: SparkContext): Either[String, Unit] = synchronized {
    val view = new ClusterView(context)
    if (isLoaded(context.getConf)) Right(())
    else
      obstacle(view).toLeft {
        startIn(context, view)
      }
  }

  private def obstacle(view: ClusterView): Option[String] =
    if (view.isLocal) None
    else
      Some(
        s"executors of their own get it with spark.plugins=${classOf[EmberPlugin].getName} alone")

  private def startIn(context: SparkContext, view: ClusterView): Unit = {
    val (driver, executor) = (new EmberDriver, new EmberExecutor)
    val channel = new LocalPluginContext(context, driver.receive)
    driver.init(context, channel): Unit
    executor.init(channel, Collections.emptyMap())
    view.whenOver { () =>
      executor.shutdown()
      driver.shutdown()
    }
  }

  /** The driver's half says so, in the settings that sessions are made from. */
  private def isLoaded(conf: SparkConf): Boolean =
    conf.get("spark.sql.extensions", "").split(",").map(_.trim).contains(EmberExtensions.name)
}
