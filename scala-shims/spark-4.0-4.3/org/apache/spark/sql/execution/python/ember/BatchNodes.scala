package org.apache.spark.sql.execution.python.ember

import org.apache.spark.resource.ResourceProfile
import org.apache.spark.sql.execution.python.{
  FlatMapCoGroupsInBatchExec,
  FlatMapGroupsInBatchExec,
  MapInBatchExec
}

/** Spark's nodes of `mapInPandas` and `mapInArrow`. */
trait MapNode extends MapInBatchExec {
  protected final def resources: Option[ResourceProfile] = profile
}

/** Those of `applyInPandas` and `applyInArrow`. */
trait GroupsNode extends FlatMapGroupsInBatchExec

/** Those over cogroups. */
trait CogroupsNode extends FlatMapCoGroupsInBatchExec {
  protected final def sentLargeVarTypes: Boolean = conf.arrowUseLargeVarTypes
}
