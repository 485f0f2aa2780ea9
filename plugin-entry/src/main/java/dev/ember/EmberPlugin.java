package dev.ember;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * What a user names in {@code spark.plugins}; the halves behind it do all the rest.
 *
 * <p>A plugin that cannot be loaded ends the application. So what Spark loads first, here and in {@link EmberProvider},
 * is Java 8 and asks for nothing of Scala's that differs between 2.12 and 2.13.
 */
public final class EmberPlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return ForThisSpark.make(DriverPlugin.class, "dev.ember.EmberDriver");
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return ForThisSpark.make(ExecutorPlugin.class, "dev.ember.EmberExecutor");
  }
}
