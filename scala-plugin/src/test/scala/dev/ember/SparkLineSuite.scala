package dev.ember

import java.util.{Arrays, Optional}

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SPARK_VERSION

class SparkLineSuite extends AnyFunSuite {
  private val jar =
    new SparkLine("4.3_2.13", Arrays.asList("3.5_2.12", "3.5_2.13", "4.2_2.13", "4.3_2.13"))
  private val start = "Ember does nothing, and Python functions run on Spark's own workers: "

  test("the jar's own Spark is no obstacle, whatever its last number") {
    for (running <- Seq("4.3.0", "4.3.1-SNAPSHOT", "4.3.0.1"))
      assert(jar.obstacle(running, "2.13.18", 17) == Optional.empty())
  }

  test("in another Spark it names the jar to take, which may be of another Scala") {
    assert(
      jar.obstacle("4.2.1", "2.13.17", 17).get == start +
        "ember-spark-4.3_2.13.jar is for Spark 4.3, and this is Spark 4.2.1. " +
        "Take ember-spark-4.2_2.13.jar in its place; `python -m ember.jars` prints where it is")
    assert(jar.obstacle("3.5.9", "2.12.18", 8).get.contains("Take ember-spark-3.5_2.12.jar in"))
    assert(jar.obstacle("3.5.9", "2.13.8", 17).get.contains("Take ember-spark-3.5_2.13.jar in"))
  }

  test("in a Spark without a jar it names those that have one") {
    for (running <- Seq("3.4.4", "4.30.0", "5.4.3"))
      assert(
        jar
          .obstacle(running, "2.13.18", 17)
          .get
          .endsWith("There is no jar for it; there are jars for Spark 3.5, 4.2, 4.3"))
  }

  test("a Spark of another Scala is an obstacle, and the jar for that one the way") {
    val old = new SparkLine("3.5_2.12", Arrays.asList("3.5_2.12", "3.5_2.13"))
    assert(
      old.obstacle("3.5.9", "2.13.8", 17).get == start +
        "ember-spark-3.5_2.12.jar is for Scala 2.12, and this Spark 3.5.9 is of Scala 2.13.8. " +
        "Take ember-spark-3.5_2.13.jar in its place; `python -m ember.jars` prints where it is")
  }

  test("a Scala without a jar is told those that have one") {
    val way = "Take a Spark of Scala 2.12 or 2.13, for which there is a jar"
    assert(jar.obstacle("3.5.9", "2.11.12", 17).get.endsWith(way))
  }

  test("an older Java is an obstacle") {
    for (java <- Seq(8, 11))
      assert(
        jar.obstacle("4.3.0", "2.13.18", java).get == start +
          s"ember-spark-4.3_2.13.jar needs Java 17 or later, and this is Java $java. " +
          "Let JAVA_HOME name such a Java, for the driver and the executors")
  }

  test("what the build wrote is of the Spark that it compiled against") {
    val told = SparkLine.ofThisJar()
    assert(told.obstacle(SPARK_VERSION, "2.13.18", 17) == Optional.empty())
    assert(told.obstacle("3.5.9", "2.12.18", 17).get.contains("is for Spark 4.3, and"))
  }
}
