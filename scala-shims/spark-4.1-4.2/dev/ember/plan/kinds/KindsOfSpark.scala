package dev.ember.plan.kinds

/** What of this Spark can run embedded: nothing yet that needs more of PySpark's worker than batches in and out. */
private[kinds] object KindsOfSpark {
  val all: Seq[Kind] = Seq(
    ScalarKind,
    MapInPandasKind,
    MapInArrowKind,
    GroupedMapInPandasKind,
    GroupedMapInArrowKind,
    CogroupedMapInPandasKind,
    CogroupedMapInArrowKind,
    GroupedAggregateKind,
    WindowAggregateKind)
}
