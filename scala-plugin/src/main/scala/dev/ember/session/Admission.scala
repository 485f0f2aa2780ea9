package dev.ember.session

import dev.ember.config.{EmberConf, Lane}
import dev.ember.reason.FallbackReason

/** What is known about a session before it opens, from Spark's runner and the task. */
final case class SessionFacts(
    profiler: Boolean,
    workerLogging: Boolean,
    faultHandler: Boolean,
    memoryLimit: Boolean,
    customWorker: Boolean,
    idleTimeoutKills: Boolean,
    otherHashSeed: Boolean)

/** The gates that need no interpreter. */
object Admission {

  /** Why this node or session may not even try, as far as the settings say. */
  def ofSettings(conf: EmberConf): Option[FallbackReason] =
    if (!conf.enabled) Some(FallbackReason.Disabled)
    else
      conf.lane match {
        case Lane.Spark => Some(FallbackReason.LaneIsSpark)
        case Lane.Process => Some(FallbackReason.NoProcessLane)
        case Lane.Auto | Lane.Embedded => None
      }

  def ofSession(conf: EmberConf, facts: SessionFacts): Option[FallbackReason] =
    ofSettings(conf).orElse(gates.collectFirst { case (shut, reason) if shut(facts) => reason })

  private val gates: Seq[(SessionFacts => Boolean, FallbackReason)] = Seq(
    ((facts: SessionFacts) => facts.profiler) -> FallbackReason.ProfilerOn,
    ((facts: SessionFacts) => facts.workerLogging) -> FallbackReason.WorkerLogging,
    ((facts: SessionFacts) => facts.faultHandler) -> FallbackReason.FaultHandlerOn,
    ((facts: SessionFacts) => facts.memoryLimit) -> FallbackReason.MemoryLimit,
    ((facts: SessionFacts) => facts.customWorker) -> FallbackReason.CustomWorker,
    ((facts: SessionFacts) => facts.idleTimeoutKills) -> FallbackReason.IdleTimeoutKills,
    ((facts: SessionFacts) => facts.otherHashSeed) -> FallbackReason.OtherHashSeed)
}
