package dev.ember.session

import org.scalatest.funsuite.AnyFunSuite

import dev.ember.config.{EmberConf, Lane, Trust}
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.Scope

class AdmissionSuite extends AnyFunSuite {
  private val conf = EmberConf.read(_ => None)
  private val plain = SessionFacts(
    waitsForBroadcasts = false,
    profiler = false,
    profilesInput = false,
    workerLogging = false,
    faultHandler = false,
    memoryLimit = false,
    customWorker = false,
    idleTimeoutKills = false,
    otherHashSeed = false,
    isolated = false)

  test("a plain session with default settings may be embedded") {
    assert(Admission.ofSession(conf, plain).isEmpty)
    assert(Admission.ofSession(conf.copy(lane = Lane.Embedded), plain).isEmpty)
  }

  test("the settings come first") {
    val facts = plain.copy(profiler = true)
    assert(Admission.ofSession(conf.copy(enabled = false), facts).contains(FallbackReason.Disabled))
    assert(
      Admission.ofSession(conf.copy(lane = Lane.Spark), facts).contains(FallbackReason.LaneIsSpark))
  }

  test("each thing that no lane of ours can serve has its reason") {
    val gates = Seq(
      plain.copy(waitsForBroadcasts = true) -> FallbackReason.EncryptedBroadcasts,
      plain.copy(profilesInput = true) -> FallbackReason.ProfilesInput,
      plain.copy(workerLogging = true) -> FallbackReason.WorkerLogging,
      plain.copy(customWorker = true) -> FallbackReason.CustomWorker)
    for ((facts, reason) <- gates) assert(Admission.ofSession(conf, facts).contains(reason))
  }

  test("each thing that needs a process of its own keeps a session out of the executor only") {
    val gates = Seq(
      plain.copy(isolated = true) -> FallbackReason.Isolated,
      plain.copy(profiler = true) -> FallbackReason.ProfilerOn,
      plain.copy(faultHandler = true) -> FallbackReason.FaultHandlerOn,
      plain.copy(idleTimeoutKills = true) -> FallbackReason.IdleTimeoutKills,
      plain.copy(memoryLimit = true) -> FallbackReason.MemoryLimit,
      plain.copy(otherHashSeed = true) -> FallbackReason.OtherHashSeed)
    for ((facts, reason) <- gates) {
      assert(Admission.ofSession(conf, facts).isEmpty)
      assert(Admission.ofEmbedded(Trust.Session, Scope.Application, facts).contains(reason))
    }
  }

  test("who is not trusted in an executor is kept out of it only") {
    val session = Scope.Session("s", None)
    def refused(trust: Trust, scope: Scope): Option[FallbackReason] =
      Admission.ofEmbedded(trust, scope, plain)
    assert(refused(Trust.Session, Scope.Application).isEmpty)
    assert(refused(Trust.User, Scope.User("u")).isEmpty)
    assert(refused(Trust.Application, session).contains(FallbackReason.NotTrusted))
    assert(refused(Trust.Nobody, Scope.Application).contains(FallbackReason.NotTrusted))
  }

  test("every reason of a session has a metric of its name") {
    val reasons = Seq(
      FallbackReason.Disabled,
      FallbackReason.LaneIsSpark,
      FallbackReason.InvalidConf(""),
      FallbackReason.EncryptedBroadcasts,
      FallbackReason.ProfilerOn,
      FallbackReason.ProfilesInput,
      FallbackReason.WorkerLogging,
      FallbackReason.NotTrusted,
      FallbackReason.FaultHandlerOn,
      FallbackReason.MemoryLimit,
      FallbackReason.CustomWorker,
      FallbackReason.IdleTimeoutKills,
      FallbackReason.OtherHashSeed,
      FallbackReason.Isolated,
      FallbackReason.LaneBusy,
      FallbackReason.NoWorkers(""),
      FallbackReason.LaneAbandoned,
      FallbackReason.Unproven,
      FallbackReason.Quarantined(""),
      FallbackReason.LaneBroken(""),
      FallbackReason.NoPython(""),
      FallbackReason.NoNative(""),
      FallbackReason.StartFailed(""),
      FallbackReason.OtherPython("", ""),
      FallbackReason.OtherScope("", ""),
      FallbackReason.OtherApplication,
      FallbackReason.OtherEnvironment,
      FallbackReason.OtherIncludes,
      FallbackReason.ArrowBackedChild,
      FallbackReason.PickleBytesLimit,
      FallbackReason.NoNativeForm,
      FallbackReason.GroupedTypes,
      FallbackReason.OpenFailed(""),
      FallbackReason.Unexpected(""))
    assert(reasons.map(_.name) == FallbackReason.ofSessions)
  }
}
