package dev.ember

/**
 * What tasks of this process do while somebody looks, as stacks of Java's and Python's frames together.
 *
 * {{{
 *   Sampling.start -> TaskSampler: Java's frames of the threads that run tasks
 *                  -> ember_worker.sampling, in each process with sessions: Python's, a file a session
 *   Sampling.stop  -> JoinedStacks: Python's frames below those of the task that waits for them
 * }}}
 *
 * A stack is its frames, the outermost first, and what is counted is wall time in nanoseconds. Nothing of this runs
 * while nobody looks; a session then asks one volatile field.
 */
package object sampling {
  type Stack = Seq[String]
}
