package dev.ember.plan.kinds

/** What of this Spark can run embedded. */
private[kinds] object KindsOfSpark {
  val all: Seq[Kind] = Seq(
    ScalarKind,
    PickledKind,
    ArrowTableFunctionKind,
    PickledTableFunctionKind,
    MapInPandasKind,
    MapInArrowKind,
    ExternalMapKind,
    GroupedMapInPandasKind,
    GroupedMapInArrowKind,
    CogroupedMapInPandasKind,
    CogroupedMapInArrowKind,
    GroupStateKind,
    TransformWithStateKind,
    GroupedAggregateKind,
    WindowAggregateKind,
    DataSourceKind)
}
