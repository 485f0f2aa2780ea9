package org.apache.spark.sql.execution.python.ember

import java.util.{Collections, Map => JMap}

import com.codahale.metrics.MetricRegistry

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.api.plugin.PluginContext
import org.apache.spark.resource.ResourceInformation
import org.apache.spark.util.Utils

/** What Spark gives a plugin, for one that it does not know of, where executor and driver are one process. */
final class LocalPluginContext(context: SparkContext, driver: AnyRef => AnyRef)
    extends PluginContext {
  private val metrics = new MetricRegistry

  override def conf(): SparkConf = context.conf
  override def executorID(): String = SparkContext.DRIVER_IDENTIFIER
  override def hostname(): String = Utils.localHostName()
  override def metricRegistry(): MetricRegistry = metrics
  override def resources(): JMap[String, ResourceInformation] = Collections.emptyMap()
  override def send(message: Object): Unit = driver(message): Unit
  override def ask(message: Object): Object = driver(message)
}
