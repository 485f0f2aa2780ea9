package org.apache.spark.sql.execution.python.ember

import org.apache.hadoop.conf.Configuration

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.streaming.operators.stateful.StatefulOperatorStateInfo
import org.apache.spark.sql.execution.streaming.state.{
  NoPrefixKeyStateEncoderSpec,
  RocksDBStateStoreProvider,
  StateStore,
  StateStoreConf,
  StateStoreId,
  StateStoreProvider,
  StateStoreProviderId
}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.{CompletionIterator, Utils}

/** The stores of `transformWithState` that no helper of Spark's hands out. */
private[ember] final class TransformStores(
    keys: StructType,
    values: StructType,
    info: StatefulOperatorStateInfo)
    extends Serializable {

  /** The version that a stream's micro-batch begins with. */
  def ofStream(partition: Int, conf: StateStoreConf, hadoop: Configuration): StateStore =
    StateStore.get(
      id(info.checkpointLocation, info.operatorId, partition),
      keys,
      values,
      NoPrefixKeyStateEncoderSpec(keys),
      info.storeVersion,
      info.getStateStoreCkptId(partition).map(_.head),
      info.stateSchemaMetadata,
      useColumnFamilies = true,
      conf,
      hadoop)

  /**
   * What `transform` makes of an empty store, for a query that does not stream. Its folder goes with the JVM, and it
   * is closed with the last row.
   */
  def ofBatch(partition: Int, hadoop: Configuration)(
      transform: StateStore => Iterator[InternalRow]): Iterator[InternalRow] = {
    val folder = Utils.createTempDir().getAbsolutePath
    val provider = StateStoreProvider.createAndInit(
      id(folder, 0, partition),
      keys,
      values,
      NoPrefixKeyStateEncoderSpec(keys),
      useColumnFamilies = true,
      TransformStores.conf,
      hadoop,
      useMultipleValuesPerKey = true,
      info.stateSchemaMetadata)
    val rows = transform(provider.getStore(0, None))
    CompletionIterator[InternalRow, Iterator[InternalRow]](rows, provider.close())
  }

  private def id(folder: String, operator: Long, partition: Int): StateStoreProviderId =
    StateStoreProviderId(StateStoreId(folder, operator, partition), info.queryRunId)
}

private object TransformStores {

  /** As in Spark: of settings that are all at their defaults, with the one store that has what states need. */
  private def conf: StateStoreConf = {
    val settings = new SQLConf
    settings.setConfString(
      SQLConf.STATE_STORE_PROVIDER_CLASS.key,
      classOf[RocksDBStateStoreProvider].getName)
    new StateStoreConf(settings)
  }
}
