package dev.ember

import java.util.{Arrays, Optional}

import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.SPARK_VERSION

class SparkLineSuite extends AnyFunSuite {
  private val jar = new SparkLine("4.3", "2.13", Arrays.asList("4.2", "4.3"))

  test("the jar's own Spark is no obstacle, whatever its last number") {
    for (running <- Seq("4.3.0", "4.3.1-SNAPSHOT", "4.3.0.1"))
      assert(jar.obstacle(running) == Optional.empty())
  }

  test("in another Spark it names the jar to take") {
    assert(
      jar
        .obstacle("4.2.1")
        .get == "Ember does nothing, and Python functions run on Spark's own workers: " +
        "ember-spark-4.3_2.13.jar is for Spark 4.3, and this is Spark 4.2.1. " +
        "Take ember-spark-4.2_2.13.jar in its place; `python -m ember.jars` prints where it is")
  }

  test("in a Spark without a jar it names those that have one") {
    for (running <- Seq("3.5.9", "4.30.0", "5.4.3"))
      assert(
        jar
          .obstacle(running)
          .get
          .endsWith("There is no jar for it; there are jars for Spark 4.2, 4.3"))
  }

  test("what the build wrote is of the Spark that it compiled against") {
    assert(SparkLine.ofThisJar().obstacle(SPARK_VERSION) == Optional.empty())
    assert(SparkLine.ofThisJar().obstacle("3.5.9").get.contains("is for Spark 4.3, and"))
  }
}
