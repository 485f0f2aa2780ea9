package dev.ember.plan.kinds

import org.apache.spark.sql.execution.SparkPlan

/** One kind of Python node: which of Spark's nodes it is, and what takes its place. */
trait Kind {

  /** Defined for Spark's node exactly: a subclass of it is somebody else's, or ours already. */
  def embed: PartialFunction[SparkPlan, SparkPlan]

  /** Whether a node of ours is of this kind. */
  def isEmbedded(plan: SparkPlan): Boolean
}

object Kind {
  val all: Seq[Kind] = KindsOfSpark.all
}
