package dev.ember.session

import dev.ember.config.{EmberConf, Lane, Trust}
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.Scope

/**
 * What is known about a session before it opens, from Spark's runner and the task.
 *
 * @param waitsForBroadcasts
 *   its functions have broadcasts, and Spark's runner waits until a worker has fetched them
 * @param profiler
 *   its functions are profiled
 * @param profilesInput
 *   and pull their input themselves, so that their profiles show what reads it
 */
final case class SessionFacts(
    waitsForBroadcasts: Boolean,
    profiler: Boolean,
    profilesInput: Boolean,
    workerLogging: Boolean,
    faultHandler: Boolean,
    memoryLimit: Boolean,
    customWorker: Boolean,
    idleTimeoutKills: Boolean,
    otherHashSeed: Boolean,
    isolated: Boolean)

/** The gates that need no interpreter. */
object Admission {

  /** Why this node or session may not even try, as far as the settings say. */
  def ofSettings(conf: EmberConf): Option[FallbackReason] =
    if (!conf.enabled) Some(FallbackReason.Disabled)
    else
      conf.lane match {
        case Lane.Spark => Some(FallbackReason.LaneIsSpark)
        case Lane.Auto | Lane.Embedded | Lane.Process => None
      }

  /** Why a session may run neither in the executor nor in a worker of ours. */
  def ofSession(conf: EmberConf, facts: SessionFacts): Option[FallbackReason] =
    ofSettings(conf).orElse(firstOf(ofBothLanes, facts))

  /** Why a session may not run in the executor itself. */
  def ofEmbedded(trust: Trust, scope: Scope, facts: SessionFacts): Option[FallbackReason] =
    if (Scope.mayEmbed(trust, scope)) firstOf(ofTheExecutor, facts)
    else Some(FallbackReason.NotTrusted)

  private type Gates = Seq[(SessionFacts => Boolean, FallbackReason)]

  private def firstOf(gates: Gates, facts: SessionFacts): Option[FallbackReason] =
    gates.collectFirst { case (shut, reason) if shut(facts) => reason }

  private val ofBothLanes: Gates = Seq(
    ((facts: SessionFacts) => facts.waitsForBroadcasts) -> FallbackReason.EncryptedBroadcasts,
    ((facts: SessionFacts) => facts.profilesInput) -> FallbackReason.ProfilesInput,
    ((facts: SessionFacts) => facts.workerLogging) -> FallbackReason.WorkerLogging,
    ((facts: SessionFacts) => facts.customWorker) -> FallbackReason.CustomWorker)

  private val ofTheExecutor: Gates = Seq(
    ((facts: SessionFacts) => facts.isolated) -> FallbackReason.Isolated,
    ((facts: SessionFacts) => facts.profiler) -> FallbackReason.ProfilerOn,
    ((facts: SessionFacts) => facts.faultHandler) -> FallbackReason.FaultHandlerOn,
    ((facts: SessionFacts) => facts.idleTimeoutKills) -> FallbackReason.IdleTimeoutKills,
    ((facts: SessionFacts) => facts.memoryLimit) -> FallbackReason.MemoryLimit,
    ((facts: SessionFacts) => facts.otherHashSeed) -> FallbackReason.OtherHashSeed)
}
