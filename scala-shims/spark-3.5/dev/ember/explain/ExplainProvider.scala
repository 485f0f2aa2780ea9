package dev.ember.explain

/** How Spark is told to have EXPLAIN say what becomes of Python's nodes: 3.5 takes no words of others. */
private[ember] object ExplainProvider {

  /** A list of Spark's, by its key, and what is to be on it. */
  val setting: Option[(String, String)] = None
}
