package dev.ember;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.package$;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.util.Properties$;

/** Makes what is compiled for one line of Spark only in that line; in any other it says so, once. */
final class ForThisSpark {
  private static final Logger LOG = LoggerFactory.getLogger(EmberPlugin.class);
  private static final AtomicBoolean SAID = new AtomicBoolean();

  private ForThisSpark() {}

  /** A new instance of the class by this name, or null, which to Spark is no plugin. */
  static <T> T make(Class<T> type, String name) {
    Optional<String> obstacle =
        SparkLine.ofThisJar()
            .obstacle(package$.MODULE$.SPARK_VERSION(), Properties$.MODULE$.versionNumberString(), java());
    if (obstacle.isPresent()) {
      if (SAID.compareAndSet(false, true)) {
        LOG.warn(obstacle.get());
      }
      return null;
    }
    try {
      return type.cast(Class.forName(name).getDeclaredConstructor().newInstance());
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException("Ember's jar is not whole: it cannot make a " + name, error);
    }
  }

  /** Its number, which was behind a "1." until Java 8. */
  private static int java() {
    String number = System.getProperty("java.specification.version");
    return Integer.parseInt(number.startsWith("1.") ? number.substring(2) : number);
  }
}
