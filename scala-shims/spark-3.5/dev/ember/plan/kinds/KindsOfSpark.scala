package dev.ember.plan.kinds

/** What of this Spark can run embedded: no table function in Arrow format, nothing with state. */
private[kinds] object KindsOfSpark {
  val all: Seq[Kind] = Seq(
    ScalarKind,
    PickledKind,
    PickledTableFunctionKind,
    MapInPandasKind,
    MapInArrowKind,
    GroupedMapInPandasKind,
    CogroupedMapInPandasKind,
    GroupedAggregateKind,
    WindowAggregateKind)
}
