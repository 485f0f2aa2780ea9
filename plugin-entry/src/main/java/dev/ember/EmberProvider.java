package dev.ember;

import org.apache.spark.SparkEnv;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.SparkSessionExtensionsProvider;
import scala.runtime.BoxedUnit;

/** What Spark's service loader finds wherever the jar is on the class path: {@code EmberService}, where it is asked for. */
public final class EmberProvider implements SparkSessionExtensionsProvider {
  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    if (isAsked()) {
      SparkSessionExtensionsProvider service =
          ForThisSpark.make(SparkSessionExtensionsProvider.class, "dev.ember.EmberService");
      if (service != null) {
        service.apply(extensions);
      }
    }
    return BoxedUnit.UNIT;
  }

  /** The default is no answer; the service reads the user's own more strictly. */
  private static boolean isAsked() {
    SparkEnv env = SparkEnv.get();
    return env != null && !"false".equals(env.conf().get("spark.ember.enabled", "false"));
  }
}
