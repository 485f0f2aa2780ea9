package dev.ember

import java.util.{Collections, WeakHashMap}

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.execution.python.ember.{External, JobTags, StatusTables}

import dev.ember.plan.{EmbedBeforeTransitions, EmbedPythonNodes}

/**
 * Installs the plan rule: where every plan passes, and where an adaptive plan is first prepared, so that EXPLAIN
 * shows it before the query has run. The first session has it, and no client has set anything before that.
 */
class EmberExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit =
    if (EmberExtensions.isFirst(extensions)) install(extensions)

  private def install(extensions: SparkSessionExtensions): Unit = {
    extensions.injectColumnar(_ => EmbedBeforeTransitions)
    extensions.injectQueryStagePrepRule(_ => EmbedPythonNodes)
    External.install(extensions)
    StatusTables.install(extensions)
    JobTags.keep()
  }
}

object EmberExtensions {
  private[ember] val name: String = classOf[EmberExtensions].getName

  private val installed = Collections.newSetFromMap[SparkSessionExtensions](new WeakHashMap)

  /** Settings may name them and a service bring them, in either order; each session is to have them once. */
  private def isFirst(extensions: SparkSessionExtensions): Boolean =
    installed.synchronized(installed.add(extensions))
}
