package dev.ember.session

/**
 * Where a session is to run, and why.
 *
 * @param name
 *   stable: metrics and tests refer to it
 * @param apart
 *   in a worker process
 */
sealed abstract class Choice(val name: String, val apart: Boolean, val words: String) {
  override def toString: String = s"$name (${if (apart) "worker process" else "executor"}): $words"
}

object Choice {
  case object LaneFree extends Choice("LaneFree", false, "no other session uses the interpreter")

  case object WithinPlaces
      extends Choice(
        "WithinPlaces",
        false,
        "spark.ember.embedded.tasks has room, and it was not seen to wait for the lock")

  case object SharesLock
      extends Choice(
        "SharesLock",
        false,
        "the functions in the executor hold the interpreter's lock for a small part of the time")

  case object TriesSharing
      extends Choice("TriesSharing", false, "to see whether it waits for the lock beside itself")

  case object TriesEmbedded
      extends Choice("TriesEmbedded", false, "to see whether it is still cheaper apart")

  case object PlacesTaken extends Choice("PlacesTaken", true, "other sessions use the interpreter")

  case object WaitsForLock
      extends Choice("WaitsForLock", true, "it was seen to wait for the interpreter's lock")

  case object CheaperApart
      extends Choice("CheaperApart", true, "its rows were seen to cost less in a worker process")

  case object TriesApart
      extends Choice("TriesApart", true, "to see what its rows cost in a worker process")

  case object MovesApart
      extends Choice(
        "MovesApart",
        true,
        "its session lost more in the executor than one takes to open in a worker process, or may not stay")

  case object MovesInside
      extends Choice(
        "MovesInside",
        false,
        "its session lost more in a worker process than one takes to open in the executor")

  /** All of them: they are the keys of metrics. */
  val all: Seq[Choice] = Seq(
    LaneFree,
    WithinPlaces,
    SharesLock,
    TriesSharing,
    TriesEmbedded,
    PlacesTaken,
    WaitsForLock,
    CheaperApart,
    TriesApart,
    MovesApart,
    MovesInside)

  /** Those that are made to learn something. */
  val tries: Set[Choice] = Set(TriesSharing, TriesEmbedded, TriesApart)
}
