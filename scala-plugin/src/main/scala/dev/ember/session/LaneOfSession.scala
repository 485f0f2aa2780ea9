package dev.ember.session

import dev.ember.config.{EmberConf, Lane}
import dev.ember.reason.FallbackReason

/** Which lane a session gets: the one that is named, or by what the books tell. */
class LaneOfSession(embedded: EmbeddedLane, process: ProcessLane, books: LaneBooks) {

  def enter(
      conf: EmberConf,
      facts: SessionFacts,
      key: LaneKey,
      environment: Map[String, String],
      task: Long,
      function: Fingerprint): Either[FallbackReason, Place] = {
    def inside(places: Int): Either[FallbackReason, Place] =
      embedded.enter(key, environment, task, places)
    def apart: Either[FallbackReason, Place] = process.enter(key, environment)
    def named(isApart: Boolean)(place: => Either[FallbackReason, Place]) =
      seated(books.enter(task, function, isApart))(place)

    (conf.lane, Admission.ofEmbedded(facts)) match {
      case (Lane.Spark, _) => Left(FallbackReason.LaneIsSpark)
      case (Lane.Process, _) => named(isApart = true)(apart)
      case (Lane.Embedded, Some(why)) => Left(why)
      case (Lane.Embedded, None) => named(isApart = false)(inside(conf.embeddedTasks))
      case (Lane.Auto, Some(why)) => named(isApart = true)(apart).left.map(_ => why)
      case (Lane.Auto, None) =>
        chosen(books.choose(task, function, conf.embeddedTasks), inside(Int.MaxValue), apart)
    }
  }

  /** A place where the books want it, or where there is one. */
  private def chosen(
      visit: LaneBooks#Visit,
      inside: => Either[FallbackReason, Place],
      apart: => Either[FallbackReason, Place]): Either[FallbackReason, Place] = {
    val crowded = Set[Choice](Choice.PlacesTaken, Choice.WaitsForLock)
    if (!visit.isApart) {
      seated(visit)(inside).left.flatMap(why => seated(visit.turn())(apart).left.map(_ => why))
    } else {
      seated(visit)(apart).left.flatMap { _ =>
        if (visit.choice.exists(crowded)) Left(FallbackReason.LaneBusy)
        else seated(visit.turn())(inside)
      }
    }
  }

  /** The place with its visit; without a place the visit is over. */
  private def seated(visit: LaneBooks#Visit)(
      place: => Either[FallbackReason, Place]): Either[FallbackReason, Place] = {
    val found =
      try place
      catch {
        case error: Throwable =>
          visit.leave()
          throw error
      }
    if (found.isLeft) visit.leave()
    found.map(new VisitedPlace(_, visit))
  }
}

/** The lanes of this process. */
object LaneOfSession extends LaneOfSession(ExecutorLane, WorkerLane, ExecutorBooks)
