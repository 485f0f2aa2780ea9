package dev.ember.session

/**
 * The lane of a session, from what was measured. Nothing here remembers anything, asks a clock or starts a process.
 *
 * {{{
 *   nobody else uses the interpreter:   embedded, unless rows were seen to cost clearly less apart
 *   somebody does:                      embedded if the lock is asked for little enough, else apart
 * }}}
 *
 * One session at a time in the executor is never worse than one in a worker. A second one is worse when both want the
 * lock, and only slightly better when neither does: so it has to be known that they do not.
 */
object LaneChoice {

  /**
   * The part of the time that functions beside one another may ask for the lock, as far as is known: beyond it they
   * take turns more than they work.
   */
  val MostHeld = 0.7

  /** The part of the time that a session may wait for the lock. */
  val MostWaiting = 0.05

  /** What a function that was seen not to wait beside others counts for at most. */
  val HeldByProven = 0.2

  /** By how much rows must cost less to be worth a move: as a factor, and in nanoseconds. */
  val ClearlyLess = 1.15
  val LeastNanos = 20.0

  /**
   * What a session must save to be worth a move, in nanoseconds. The JVM's part of a session costs more if it runs apart, and no
   * figure of the function tells that; nor could sessions of a few rows tell what rows cost from what sessions do.
   */
  val LeastSaved = 1e6

  /** What is compared rests on so many sessions. */
  val LeastSessions = 3L

  /** A try may take this part of the time that the function has run, and half of it at each further try. */
  val TriesOf = 20.0

  /** What a session takes to open in a worker while none has, in nanoseconds: libraries are imported first. */
  val FirstWorker = 1e9

  /** A session in the executor: its task, its function, and how much of the lock that asks for. */
  final case class Neighbour(task: Long, function: Fingerprint, held: Double)

  /**
   * The session to be opened.
   *
   * @param worker
   *   what one takes to open in a worker, in nanoseconds
   */
  final case class Asked(
      task: Long,
      function: Fingerprint,
      known: Figures,
      worker: Double = FirstWorker)

  /**
   * @param places
   *   how many tasks may use the interpreter before it is known what they do
   */
  def choose(asked: Asked, others: Seq[Neighbour], places: Int): Choice =
    if (isCheaperApart(asked.known)) {
      if (others.isEmpty) againOr(asked, Choice.CheaperApart) else Choice.CheaperApart
    } else if (others.isEmpty) alone(asked)
    else beside(asked, others, places)

  private def alone(asked: Asked): Choice =
    if (waitsAlone(asked.known.alone)) againOr(asked, Choice.WaitsForLock)
    else if (mayTry(asked, Choice.TriesApart)) Choice.TriesApart
    else Choice.LaneFree

  /** What runs apart comes back once in a while, to see whether it still has to. */
  private def againOr(asked: Asked, apart: Choice): Choice =
    if (mayTry(asked, Choice.TriesEmbedded)) Choice.TriesEmbedded else apart

  /** For threads that functions left behind. */
  private def waitsAlone(sums: Sums): Boolean =
    sums.waiting > MostWaiting && sums.lockPerSession > LeastSaved

  private def beside(asked: Asked, others: Seq[Neighbour], places: Int): Choice = {
    val fits = (others.map(_.task).toSet + asked.task).size <= places
    val held = heldBy(asked.known) + others.map(_.held).sum
    val amongItsOwn = others.forall(_.function == asked.function)
    if (waitsBeside(asked.known)) {
      if (amongItsOwn && mayTry(asked, Choice.TriesSharing)) Choice.TriesSharing
      else Choice.WaitsForLock
    } else if (held <= MostHeld) Choice.SharesLock
    else if (fits && (places > 1 || asked.known.best.isEmpty)) Choice.WithinPlaces
    else if (amongItsOwn && asked.known.beside.isEmpty && mayTry(asked, Choice.TriesSharing))
      Choice.TriesSharing
    else Choice.PlacesTaken
  }

  /** The part of the time that a function asks for the lock; all of it if nothing is known. */
  def heldBy(known: Figures): Double =
    if (known.best.isEmpty) 1.0
    else if (known.beside.isEmpty || waitsBeside(known)) known.best.running
    else math.min(known.best.running, HeldByProven)

  private def waitsBeside(known: Figures): Boolean = known.waitingBeside > MostWaiting

  private def isCheaperApart(known: Figures): Boolean =
    known.alone.sessions >= LeastSessions &&
      clearlySaved(known.alone, known.apart) * known.alone.rowsPerSession > LeastSaved

  /** By how many nanoseconds of CPU a row costs less in `there` than in `here`; 0 if that is not clear. */
  private def clearlySaved(here: Sums, there: Sums): Double = {
    val saved = here.cpuPerRow - there.cpuPerRow
    val clear = here.cpuPerRow > there.cpuPerRow * ClearlyLess && saved > LeastNanos
    if (there.sessions >= LeastSessions && clear) saved else 0.0
  }

  /**
   * What an open session has lost by its lane so far, in nanoseconds: by waiting for the lock beside others, or by rows
   * that are known to cost clearly less on the other lane. What its first rows cost tells little of that, since much is
   * cold for them: whole sessions here have to have cost as clearly more.
   *
   * @param company
   *   what it has around it now
   */
  def lost(effort: Effort, company: Company, known: Figures): Double = {
    val here = Sums.none.and(effort)
    company match {
      case Company.Beside =>
        val waiting = here.waitingBut(known.elsewhere)
        if (waiting > MostWaiting) waiting * effort.nanos.toDouble else 0.0
      case Company.Alone => savedByAll(here, known.alone, known.apart) * here.rows
      case Company.Apart => savedByAll(here, known.apart, known.alone) * here.rows
    }
  }

  private def savedByAll(open: Sums, whole: Sums, there: Sums): Double =
    math.min(clearlySaved(open, there), clearlySaved(whole, there))

  /** Each try of a kind needs twice the experience of the one before: there are few, whatever they tell. */
  private def mayTry(asked: Asked, choice: Choice): Boolean = {
    import asked.known
    val start = if (choice == Choice.TriesApart) asked.worker else 0.0
    val enough = choice match {
      case Choice.TriesApart => known.apart.sessions < LeastSessions
      case _ => true
    }
    val price = (known.best.busyPerSession + start) * TriesOf
    val again = math.pow(2.0, known.timesTried(choice).toDouble)
    enough && known.best.sessions >= LeastSessions && known.busy.toDouble >= price * again
  }
}
