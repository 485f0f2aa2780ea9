package dev.ember;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/** The line of Spark that a jar is for, such as 4.3, and the lines that there are jars for. */
final class SparkLine {
  private static final String RESOURCE = "/ember/spark-line.properties";

  private final String own;
  private final String scala;
  private final List<String> every;

  SparkLine(String own, String scala, List<String> every) {
    this.own = own;
    this.scala = scala;
    this.every = every;
  }

  /** As the build wrote it into the jar. */
  static SparkLine ofThisJar() {
    Properties told = new Properties();
    try (InputStream resource = SparkLine.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new IOException(RESOURCE + " is not in it");
      }
      told.load(resource);
    } catch (IOException error) {
      throw new UncheckedIOException("Ember's jar is not whole", error);
    }
    List<String> every = Arrays.asList(told.getProperty("every").split(","));
    return new SparkLine(told.getProperty("own"), told.getProperty("scala"), every);
  }

  /** Why the jar does nothing in this Spark, and which one would, if the jar is for another. */
  Optional<String> obstacle(String running) {
    if (running.startsWith(own + ".")) {
      return Optional.empty();
    }
    return Optional.of(
        "Ember does nothing, and Python functions run on Spark's own workers: "
            + nameOf(own) + " is for Spark " + own + ", and this is Spark " + running + ". " + way(running));
  }

  private String way(String running) {
    for (String line : every) {
      if (running.startsWith(line + ".")) {
        return "Take " + nameOf(line) + " in its place; `python -m ember.jars` prints where it is";
      }
    }
    return "There is no jar for it; there are jars for Spark " + String.join(", ", every);
  }

  private String nameOf(String line) {
    return "ember-spark-" + line + "_" + scala + ".jar";
  }
}
