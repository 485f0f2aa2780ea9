package dev.ember

import org.scalatest.concurrent.Eventually
import org.scalatest.funsuite.AnyFunSuite
import org.scalatest.time.{Millis, Seconds, Span}

import org.apache.spark.sql.{AnalysisException, SparkSession}
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}

import dev.ember.plan.EmbedBeforeTransitions

/** The service's file is on the class path of every test, as it is where the jar is. */
class EmberServiceSuite extends AnyFunSuite with Eventually {
  override implicit val patienceConfig: PatienceConfig =
    PatienceConfig(Span(60, Seconds), Span(200, Millis))

  private def in[T](settings: (String, String)*)(body: SparkSession => T): T = {
    val builder = SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false")
    val spark = settings
      .foldLeft(builder) { case (made, (key, value)) =>
        made.config(key, value)
      }
      .getOrCreate()
    try body(spark)
    finally spark.stop()
  }

  private def executors(spark: SparkSession): Seq[String] =
    spark.sql("SELECT executor FROM ember_status()").collect().map(_.getString(0)).toSeq

  test("the jar alone, or a setting that says no, changes nothing") {
    for (settings <- Seq(Nil, Seq("spark.ember.enabled" -> "false"))) {
      in(settings: _*)(spark => intercept[AnalysisException](executors(spark)))
    }
  }

  test("where it is asked for, rules, driver and executor are there without the plugin") {
    in("spark.ember.enabled" -> "true") { spark =>
      eventually(assert(executors(spark) == Seq("driver")))
      assert(executors(spark.newSession()) == Seq("driver"))
    }
  }

  test("with the plugin there is one of everything") {
    for (settings <- Seq(
        Seq("spark.plugins" -> classOf[EmberPlugin].getName, "spark.ember.enabled" -> "true"),
        Seq("spark.ember.enabled" -> "true"))) {
      in(settings: _*) { spark =>
        val names = spark.conf.get("spark.sql.extensions").split(",").toSeq
        assert(names == Seq(classOf[EmberExtensions].getName))
        val rules = spark.asInstanceOf[ClassicSession].sessionState.columnarRules
        assert(rules.count(_ == EmbedBeforeTransitions) == 1)
      }
    }
  }
}
