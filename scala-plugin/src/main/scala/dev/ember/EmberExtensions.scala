package dev.ember

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.execution.python.ember.UnifiedFunctions

import dev.ember.plan.{EmbedBeforeTransitions, EmbedPythonNodes}

/**
 * Installs the plan rule: where every plan passes, and where an adaptive plan is first prepared, so that EXPLAIN
 * shows it before the query has run. The check of plans changes none; it is where every session passes first.
 */
class EmberExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectColumnar(_ => EmbedBeforeTransitions)
    extensions.injectQueryStagePrepRule(_ => EmbedPythonNodes)
    extensions.injectCheckRule(new UnifiedFunctions(_))
  }
}
