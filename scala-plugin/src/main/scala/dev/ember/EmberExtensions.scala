package dev.ember

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.execution.python.ember.{StatusTables, UnifiedFunctions, UnifiedPlans}

import dev.ember.plan.{EmbedBeforeTransitions, EmbedPythonNodes}

/**
 * Installs the plan rule: where every plan passes, and where an adaptive plan is first prepared, so that EXPLAIN
 * shows it before the query has run. The check of plans changes none; it is where every session passes first. The
 * strategy knows unified functions alone.
 */
class EmberExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectColumnar(_ => EmbedBeforeTransitions)
    extensions.injectQueryStagePrepRule(_ => EmbedPythonNodes)
    extensions.injectCheckRule(new UnifiedFunctions(_))
    extensions.injectPlannerStrategy(_ => UnifiedPlans)
    StatusTables.install(extensions)
  }
}
