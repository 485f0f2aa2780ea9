package dev.ember.session

import dev.ember.session.contract.{Dispatcher, WorkerFunction}

/** Makes sessions on one of Ember's lanes, where `LaneOfSession` has found a place for them. */
final class LaneDispatcher extends Dispatcher {
  def session(
      place: Place,
      begin: WorkerFunction => Long,
      task: TaskSide,
      graceMs: Long): EmbeddedSession =
    counted(new EmbeddedSession(place, begin, task, graceMs))
}

/** Those of this process. */
object LaneDispatcher {
  val embedded = new LaneDispatcher
  val process = new LaneDispatcher

  def of(place: Place): LaneDispatcher = if (place.apart) process else embedded
}
