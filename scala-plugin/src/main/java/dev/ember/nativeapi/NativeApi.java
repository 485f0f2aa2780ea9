package dev.ember.nativeapi;

/**
 * The border to the native library, one method for each thing that crosses it.
 *
 * <pre>
 *   start (once per process), workers -> letGo
 *   open -> next -> { 1: offer | endInput,  2: output (and, later, releaseOutput),  3: tail } -> close
 * </pre>
 *
 * <p>A session is one handle, used by one task thread; only {@link #cancel} may come from another. Every failure
 * is a {@link NativeException}. {@code Native} is the interface that the rest of the plugin knows.
 */
public final class NativeApi {
  private NativeApi() {}

  /**
   * Opens libpython globally, then the bridge, and starts the interpreter on a thread of its own. Once per process:
   * a failed start is remembered and thrown again.
   */
  public static native void start(String libpython, String bridge, byte[] config);

  /**
   * The number of the worker processes that {@code config} describes, never 0; the same for equal descriptions. It
   * starts none.
   */
  public static native long workers(byte[] config);

  /**
   * Lets the processes of {@code workers} end, those that are in a session when it does. The number is dead from here
   * on.
   */
  public static native void letGo(long workers);

  /** Keeps no process that forks workers: each ends with the last of its workers. */
  public static native void letZygotesGo();

  /** How many worker processes there are, with a session or without. */
  public static native int workerProcesses();

  /**
   * Opens a session and gives its handle, never 0. {@code lane} is 0 for a thread of this process, where it does not
   * wait for Python, or a number from {@link #workers}, where it may wait for a process to start.
   */
  public static native long open(
      byte[] header, byte[] inputSchema, byte[] environment, int depth, long lane);

  /** Waits for what the session wants: 1 = input, 2 = its output to be taken, 3 = it ended. */
  public static native int next(long session);

  /**
   * Lends one batch, described by {@code layout[0..length)}. The memory must not change until {@code token} has
   * come back through {@link #released}.
   */
  public static native void offer(long session, long[] layout, int length, long token);

  /** Tells the function that its input has ended. */
  public static native void endInput(long session);

  /**
   * The output batch that is ready; {@code layout[0]} is the handle for {@link #releaseOutput}. Where a session joins
   * its rows with those of its input, the columns of these stand before the function's.
   */
  public static native long[] output(long session);

  /** The Arrow IPC schema message of the session's output; known once the first output is ready. */
  public static native byte[] outputSchema(long session);

  /** Gives an output batch back to its owner; exactly once for each batch. */
  public static native void releaseOutput(long batch);

  /** What Spark's worker would have written after the data: times, accumulators, or the error. */
  public static native byte[] tail(long session);

  /**
   * What the function has used so far: input rows, wall time between its callbacks, CPU time of its thread, waits for
   * Python's lock after callbacks, waits in callbacks, time in which its thread was ready and had no core, and time of the
   * task's thread in conversions; times in nanoseconds. At last a 1 if the function is known to keep nothing between batches, else 0.
   */
  public static native long[] spent(long session);

  /** How many bytes the session takes beyond its pages: what it shares with a worker. */
  public static native long held(long session);

  /** Asks the function to stop. From any thread, and at any time before {@link #close}. */
  public static native void cancel(long session);

  /**
   * Cancels the session if it runs, waits at most {@code graceMs} for its lane, and frees the handle.
   *
   * @return whether the lane came back; if not, it was abandoned, and {@link #isOut} is to be asked once
   */
  public static native boolean close(long session, long graceMs);

  /** Whether the lane that {@link #close} abandoned is still out, for its own session. Forgets the session. */
  public static native boolean isOut(long session);

  /** How many lanes are out: {@link #close} abandoned them, and their functions have not let them come back. */
  public static native int abandoned();

  /**
   * Whether functions of another application find what they would find in a new interpreter: nothing is loaded but
   * what is installed, and as it is installed, and no function of the last one runs on.
   */
  public static native boolean isAsNew();

  /** The tokens of lent batches that nothing in Python refers to any more; each is told once. */
  public static native long[] released();

  /**
   * Gives freed memory of the process back to the kernel, if sessions came or went since the last time and that is
   * long enough ago.
   */
  public static native void trim();

  /**
   * Like {@link #open}, for a session whose rows cross as pages; {@code plan} is UTF-8 JSON, see {@code RowPlan}.
   * Throws code 5 if a type has no native conversion.
   */
  static native long openRows(
      byte[] header, byte[] inputSchema, byte[] environment, int depth, long lane, byte[] plan);

  /**
   * Address of the page to fill, with room for {@code bytes}: the input rows', or the one of the arguments that
   * are not plain columns. What was written into it since the last batch stays. Rows stand back to back, each
   * behind its size in eight bytes.
   */
  static native long room(long session, boolean arguments, long bytes);

  /**
   * Gives the filled pages as one batch. {@code bytes} of the arguments' page, or of the input rows' if every
   * argument is a column of theirs.
   *
   * @return bytes of native memory that the pages of the session take, the batches made of them, and what the session
   *     shares with a worker
   */
  static native long offerRows(long session, boolean arguments, long bytes, int rows);

  /**
   * Like {@link #offerRows}, with rows of many groups. {@code pieces} has the rows of each piece of a group, negative
   * where the group goes on with the next; {@code joined} are the rows of the input's page.
   */
  static native long offerGroups(
      long session, boolean arguments, long bytes, int rows, int joined, int[] pieces);

  /**
   * The ready output as rows: address, bytes and rows of a page that stays readable until the call after the next, the
   * bytes of Python's own batches and their number, what {@link #offerRows} returns, and address and bytes of the
   * pickles that came beside the rows, if any did: they are readable until the next call.
   *
   * <p>Where a result has a null that its declared type forbids, only Spark's own code knows what becomes of it. The
   * page then has the input rows that the results would have been joined with, or nothing if they are not joined, and
   * behind these numbers follow those of {@link #output}, of the results alone.
   */
  static native long[] outputRows(long session);

  /** Frees the pages of a session that was opened with {@link #openRows} and is closed. */
  static native void freeRows(long session);

  /**
   * Like {@link #openRows}, for a session whose input crosses as columns. Throws code 5 if a type has no native
   * conversion.
   */
  static native long openColumns(
      byte[] header, byte[] inputSchema, byte[] environment, int depth, long lane, byte[] plan);

  /**
   * Lends one batch, described by two layouts: what the function gets, and the columns that its rows are joined
   * with (none of them if they are not). The memory must not change until {@code token} has come back through
   * {@link #released}, which it does when neither is looked at any more.
   */
  static native void offerColumns(long session, long[] arguments, long[] columns, long token);

  /** As {@link #outputRows}, of a column session, which keeps no pages between calls and has no pickles. */
  static native long[] outputColumns(long session);

  /** Frees the pages of a session that was opened with {@link #openColumns} and is closed. */
  static native void freeColumns(long session);
}
