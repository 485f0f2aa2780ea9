package dev.ember.explain

/** How Spark is told to have EXPLAIN say what becomes of Python's nodes. */
private[ember] object ExplainProvider {

  /** A list of Spark's, by its key, and what is to be on it. */
  val setting: Option[(String, String)] =
    Some("spark.sql.extendedExplainProviders" -> classOf[EmberExplain].getName)
}
