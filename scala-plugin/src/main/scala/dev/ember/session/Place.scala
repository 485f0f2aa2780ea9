package dev.ember.session

import java.util.concurrent.atomic.AtomicBoolean

import dev.ember.nativeapi.Native
import dev.ember.reason.FallbackReason

/** The right to run one session on a lane; to be given back, once. */
abstract class Place(val native: Native, val lent: LentBatches) {
  private val left = new AtomicBoolean(false)
  private val stood = new AtomicBoolean(false)

  /** Whether the session runs in a process of its own. */
  def apart: Boolean

  /** Why it is this lane, if it was chosen by what is known of the function. */
  def choice: Option[Choice] = None

  /** Whether the function's last session in the same circumstances ran on the other lane. */
  def moved: Boolean = false

  /** The session is open, and took so long. */
  def opened(nanos: Long): Unit = ()

  /** The session has ended, and its function used this. */
  def used(effort: Effort): Unit = ()

  /** The session broke in a way that was not the function's doing. */
  def broke(reason: FallbackReason): Unit

  /** Whether its function may run on here. */
  def mayStay: Boolean = true

  /** A place on the other lane for a session that does worse on this one than one there, or that may not stay. */
  def elsewhere(effort: Effort): Option[Place] = None

  /** The session could not go on elsewhere. */
  def stay(): Unit = ()

  /** Why it is not in the executor itself, where that is worth telling. */
  def setAside: Option[FallbackReason] = None

  /** The function has made a batch. */
  def produced(): Unit = ()

  /** The task has gone, and the function has not come back. */
  def runsOnWithoutTask(): Unit = ()

  /** The function cannot run here; whether the next session of it will run elsewhere. */
  def refuse(why: String): Boolean = false

  /** The task has gone, and another may have its seat, though its function may still run. */
  final def stand(): Unit = if (stood.compareAndSet(false, true)) giveSeat()

  final def leave(): Unit =
    if (left.compareAndSet(false, true)) {
      try stand()
      finally giveBack()
    }

  protected def giveSeat(): Unit = ()

  protected def giveBack(): Unit
}

/**
 * A place of a lane's, and the entry in the books.
 *
 * @param onward
 *   gives a place to the visit with which a session goes on, if it may
 * @param ran
 *   told what the session's function used
 */
final class VisitedPlace(
    place: Place,
    visit: LaneBooks#Visit,
    onward: Option[LaneBooks#Visit => Option[Place]],
    ran: Effort => Unit)
    extends Place(place.native, place.lent) {
  override def apart: Boolean = place.apart
  override def choice: Option[Choice] = visit.choice
  override def moved: Boolean = visit.hasMoved
  override def opened(nanos: Long): Unit = visit.opened(nanos)

  override def used(effort: Effort): Unit = {
    visit.used(effort)
    ran(effort)
    place.used(effort)
  }

  override def broke(reason: FallbackReason): Unit = place.broke(reason)
  override def setAside: Option[FallbackReason] = place.setAside
  override def mayStay: Boolean = place.mayStay
  override def stay(): Unit = visit.stay()
  override def produced(): Unit = place.produced()
  override def runsOnWithoutTask(): Unit = place.runsOnWithoutTask()
  override def refuse(why: String): Boolean = place.refuse(why)

  override def elsewhere(effort: Effort): Option[Place] = for {
    go <- onward
    next <- visit.onward(effort, place.mayStay)
    found <- go(next).orElse {
      visit.stay()
      None
    }
  } yield found

  override protected def giveSeat(): Unit =
    try visit.leave()
    finally place.stand()

  override protected def giveBack(): Unit = place.leave()
}
