package dev.ember.session

import dev.ember.config.{EmberConf, Isolation, Lane}
import dev.ember.contain.{FunctionRun, Quarantine, Wish}
import dev.ember.reason.FallbackReason
import dev.ember.session.contract.WorkerSpec
import dev.ember.status.{ExecutorLedger, FunctionLedger}

/** Which lane a session gets: the one that is named, or by what the books tell; functions that are shut out stay out. */
class LaneOfSession(
    embedded: EmbeddedLane,
    process: ProcessLane,
    books: LaneBooks,
    quarantine: Quarantine,
    ledger: FunctionLedger) {

  def enter(
      conf: EmberConf,
      facts: SessionFacts,
      worker: WorkerSpec,
      run: FunctionRun): Either[FallbackReason, Place] = {
    val function = Fingerprint(run.fingerprint)
    val key = LaneKey.of(worker)
    def inside(places: Int): Either[FallbackReason, Place] =
      quarantine.here(run, LaneOfSession.wish(conf)) {
        embedded.enter(key, worker.environment, run.task, places, conf.embeddedAbandoned)
      }
    def apart(why: Option[FallbackReason]): Either[FallbackReason, Place] =
      process.enter(key, worker.environment).map(quarantine.apart(_, run, why))
    def named(isApart: Boolean)(place: => Either[FallbackReason, Place]) =
      seated(run, books.enter(run.task, function, isApart))(place)

    (conf.lane, Admission.ofEmbedded(conf.trust, worker.scope, facts)) match {
      case (Lane.Spark, _) => Left(FallbackReason.LaneIsSpark)
      case (Lane.Process, _) => named(isApart = true)(apart(None))
      case (Lane.Embedded, Some(why)) => Left(why)
      case (Lane.Embedded, None) => named(isApart = false)(inside(conf.embeddedTasks))
      case (Lane.Auto, Some(why)) => named(isApart = true)(apart(Some(why))).left.map(_ => why)
      case (Lane.Auto, None) =>
        val visit = books.choose(run.task, function, conf.embeddedTasks)
        chosen(run, visit, inside(Int.MaxValue), apart(_))
    }
  }

  /** A place where the books want it, or where there is one. */
  private def chosen(
      run: FunctionRun,
      visit: LaneBooks#Visit,
      inside: => Either[FallbackReason, Place],
      apart: Option[FallbackReason] => Either[FallbackReason, Place])
      : Either[FallbackReason, Place] = {
    val crowded = Set[Choice](Choice.PlacesTaken, Choice.WaitsForLock)
    // Once is enough: what goes on elsewhere stays there.
    def onward(next: LaneBooks#Visit): Option[Place] =
      seated(run, next)(if (next.isApart) apart(None) else inside).toOption
    if (!visit.isApart) {
      seated(run, visit, Some(onward))(inside).left.flatMap { why =>
        seated(run, visit.turn())(apart(Some(why))).left.map(_ => why)
      }
    } else {
      seated(run, visit, Some(onward))(apart(None)).left.flatMap { _ =>
        if (visit.choice.exists(crowded)) Left(FallbackReason.LaneBusy)
        else seated(run, visit.turn())(inside)
      }
    }
  }

  /** The place with its visit; without a place the visit is over. */
  private def seated(
      run: FunctionRun,
      visit: LaneBooks#Visit,
      onward: Option[LaneBooks#Visit => Option[Place]] = None)(
      place: => Either[FallbackReason, Place]): Either[FallbackReason, Place] = {
    val found =
      try place
      catch {
        case error: Throwable =>
          visit.leave()
          throw error
      }
    if (found.isLeft) visit.leave()
    found.map(new VisitedPlace(_, visit, onward, ledger.ran(run, visit.isApart, visit.choice, _)))
  }
}

/** The lanes of this process. */
object LaneOfSession
    extends LaneOfSession(ExecutorLane, WorkerLane, ExecutorBooks, Quarantine, ExecutorLedger) {
  private def wish(conf: EmberConf): Wish = conf.lane match {
    case Lane.Auto if conf.isolation == Isolation.Cautious => Wish.OnlyProven
    case Lane.Auto => Wish.Try
    case Lane.Embedded | Lane.Process | Lane.Spark => Wish.Insist
  }
}
