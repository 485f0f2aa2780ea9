package dev.ember.status

import java.util

import org.apache.spark.SparkConf
import org.apache.spark.api.plugin.PluginContext
import org.apache.spark.resource.ResourceInformation

/** A plugin's channel that leads straight to a driver. */
final class Channel(executor: String, driver: AnyRef => AnyRef) extends PluginContext {
  override def send(message: AnyRef): Unit = driver(message): Unit
  override def ask(message: AnyRef): AnyRef = driver(message)
  override def executorID(): String = executor
  override def hostname(): String = "host"
  override def conf(): SparkConf = new SparkConf(false)
  override def resources(): util.Map[String, ResourceInformation] = util.Map.of()

  override def metricRegistry(): com.codahale.metrics.MetricRegistry =
    new com.codahale.metrics.MetricRegistry
}
