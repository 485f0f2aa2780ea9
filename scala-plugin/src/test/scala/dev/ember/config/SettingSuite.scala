package dev.ember.config

import org.scalatest.funsuite.AnyFunSuite

class SettingSuite extends AnyFunSuite {
  private def read(entries: (String, String)*): EmberConf = EmberConf.read(entries.toMap.get)

  test("without settings the documented defaults hold") {
    assert(
      read() == EmberConf(
        enabled = true,
        lane = Lane.Auto,
        isolation = Isolation.Trusting,
        trust = Trust.Session,
        embeddedTasks = 1,
        embeddedAbandoned = 4,
        embeddedLeakMegabytes = 1024,
        pipelineEnabled = true,
        pipelineDepth = 2,
        nativeDir = None,
        cancelGraceSeconds = 2,
        probeTimeoutSeconds = 60,
        processIdleSeconds = 60,
        processResidentMegabytes = 2048,
        unifiedNode = true))
  }

  test("every setting is read from its key") {
    val conf = read(
      "spark.ember.enabled" -> "FALSE",
      "spark.ember.lane" -> " Spark ",
      "spark.ember.isolation" -> "Cautious",
      "spark.ember.trust" -> "User",
      "spark.ember.embedded.tasks" -> "7",
      "spark.ember.embedded.abandoned" -> "9",
      "spark.ember.embedded.leakMegabytes" -> "64",
      "spark.ember.pipeline.enabled" -> "false",
      "spark.ember.pipeline.depth" -> "3",
      "spark.ember.native.dir" -> "/opt/ember",
      "spark.ember.cancel.graceSeconds" -> "0",
      "spark.ember.probe.timeoutSeconds" -> "5",
      "spark.ember.process.idleSeconds" -> "6",
      "spark.ember.process.residentMegabytes" -> "8",
      "spark.ember.unified.node" -> "false")
    assert(
      conf == EmberConf(
        enabled = false,
        Lane.Spark,
        Isolation.Cautious,
        Trust.User,
        7,
        9,
        64,
        pipelineEnabled = false,
        3,
        Some("/opt/ember"),
        0,
        5,
        6,
        8,
        unifiedNode = false))
  }

  test("a text that means nothing is refused with its key and what would do") {
    val refusals = Seq(
      "spark.ember.enabled" -> "maybe" -> "spark.ember.enabled = maybe: must be true or false",
      "spark.ember.lane" -> "fast" -> "spark.ember.lane = fast: must be one of auto, embedded, process, spark",
      "spark.ember.embedded.tasks" -> "0" -> "spark.ember.embedded.tasks = 0: must be a whole number above zero",
      "spark.ember.pipeline.depth" -> "x" -> "spark.ember.pipeline.depth = x: must be a whole number above zero")
    for ((entry, message) <- refusals) {
      assert(intercept[InvalidSetting](read(entry)).getMessage == message)
    }
  }

  test("keys are unique, and each setting says what it is for") {
    assert(EmberConf.all.map(_.key).distinct.size == EmberConf.all.size)
    for (setting <- EmberConf.all) {
      assert(setting.key.startsWith("spark.ember."))
      assert(setting.doc.endsWith("."))
      assert(setting.unit.nonEmpty)
      assert(setting.demand.forall(_.startsWith("must be ")))
    }
  }
}
