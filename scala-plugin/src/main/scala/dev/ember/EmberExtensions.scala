package dev.ember

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}

import dev.ember.plan.{EmbedBeforeTransitions, EmbedPythonNodes}

/**
 * Installs the plan rule: where every plan passes, and where an adaptive plan is first prepared, so that EXPLAIN
 * shows it before the query has run.
 */
class EmberExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectColumnar(_ => EmbedBeforeTransitions)
    extensions.injectQueryStagePrepRule(_ => EmbedPythonNodes)
  }
}
