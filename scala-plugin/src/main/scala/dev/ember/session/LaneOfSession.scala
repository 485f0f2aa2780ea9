package dev.ember.session

import dev.ember.config.{EmberConf, Lane}
import dev.ember.reason.FallbackReason

/** Which lane a session gets. */
class LaneOfSession(embedded: EmbeddedLane, process: ProcessLane) {

  def enter(
      conf: EmberConf,
      facts: SessionFacts,
      key: LaneKey,
      environment: Map[String, String],
      task: Long): Either[FallbackReason, Place] = {
    def inExecutor: Either[FallbackReason, Place] =
      Admission
        .ofEmbedded(facts)
        .toLeft(())
        .flatMap(_ => embedded.enter(key, environment, task, conf.embeddedTasks))
    def apart: Either[FallbackReason, Place] = process.enter(key, environment)

    conf.lane match {
      case Lane.Spark => Left(FallbackReason.LaneIsSpark)
      case Lane.Embedded => inExecutor
      case Lane.Process => apart
      case Lane.Auto => inExecutor.left.flatMap(why => apart.left.map(_ => why))
    }
  }
}

/** The lanes of this process. */
object LaneOfSession extends LaneOfSession(ExecutorLane, WorkerLane)
