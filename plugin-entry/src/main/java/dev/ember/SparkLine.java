package dev.ember;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** The line of Spark and the Scala that a jar is for, such as 4.3_2.13, and those that there are jars for. */
final class SparkLine {
  private static final String RESOURCE = "/ember/spark-line.properties";
  private static final int OLDEST_JAVA = 17;

  private final String own;
  private final List<String> every;

  SparkLine(String own, List<String> every) {
    this.own = own;
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
    return new SparkLine(told.getProperty("own"), Arrays.asList(told.getProperty("every").split(",")));
  }

  /** Why the jar does nothing in this Spark, and which one would, if the jar is for another. */
  Optional<String> obstacle(String spark, String scala, int java) {
    return misfit(spark, scala, java)
        .map(why -> "Ember does nothing, and Python functions run on Spark's own workers: " + why);
  }

  private Optional<String> misfit(String spark, String scala, int java) {
    if (!isOf(own, spark)) {
      return Optional.of(
          nameOf(own) + " is for Spark " + lineOf(own) + ", and this is Spark " + spark + ". " + way(spark, scala));
    }
    if (!isOfScala(own, scala)) {
      return Optional.of(
          nameOf(own) + " is for Scala " + scalaOf(own) + ", and this Spark " + spark + " is of Scala " + scala + ". "
              + way(spark, scala));
    }
    if (java < OLDEST_JAVA) {
      return Optional.of(
          nameOf(own) + " needs Java " + OLDEST_JAVA + " or later, and this is Java " + java
              + ". Let JAVA_HOME name such a Java, for the driver and the executors");
    }
    return Optional.empty();
  }

  private String way(String spark, String scala) {
    List<String> ofItsLine = every.stream().filter(jar -> isOf(jar, spark)).collect(Collectors.toList());
    for (String jar : ofItsLine) {
      if (isOfScala(jar, scala)) {
        return "Take " + nameOf(jar) + " in its place; `python -m ember.jars` prints where it is";
      }
    }
    if (!ofItsLine.isEmpty()) {
      return "Take a Spark of Scala " + told(ofItsLine, SparkLine::scalaOf, " or ") + ", for which there is a jar";
    }
    return "There is no jar for it; there are jars for Spark " + told(every, SparkLine::lineOf, ", ");
  }

  private static String told(List<String> jars, UnaryOperator<String> part, String between) {
    return jars.stream().map(part).distinct().collect(Collectors.joining(between));
  }

  private static boolean isOf(String jar, String spark) {
    return spark.startsWith(lineOf(jar) + ".");
  }

  private static boolean isOfScala(String jar, String scala) {
    return scala.startsWith(scalaOf(jar) + ".");
  }

  private static String lineOf(String jar) {
    return jar.substring(0, jar.indexOf('_'));
  }

  private static String scalaOf(String jar) {
    return jar.substring(jar.indexOf('_') + 1);
  }

  private static String nameOf(String jar) {
    return "ember-spark-" + jar + ".jar";
  }
}
