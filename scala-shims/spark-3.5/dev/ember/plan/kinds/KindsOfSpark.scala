package dev.ember.plan.kinds

/** What of this Spark can run embedded: no table function, nothing with state. */
private[kinds] object KindsOfSpark {
  val all: Seq[Kind] = Seq(
    ScalarKind,
    PickledKind,
    MapInPandasKind,
    MapInArrowKind,
    GroupedMapInPandasKind,
    CogroupedMapInPandasKind,
    GroupedAggregateKind,
    WindowAggregateKind)
}
