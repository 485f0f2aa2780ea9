package dev.ember.status

/**
 * One executor, as it last told of itself.
 *
 * @param python
 *   the executable, and its full version where it could be asked
 * @param library
 *   the libpython that is, or would be, loaded
 * @param problem
 *   why no function runs in the executor itself, or why Ember is not used
 * @param residentBytes
 *   memory of the executor's process alone
 * @param abandoned
 *   threads of functions that did not stop
 * @param workers
 *   processes of Ember's that functions run in, or wait for the next in
 * @param clients
 *   sessions that have such processes to themselves, or may have
 */
final case class ExecutorFacts(
    host: String = "",
    python: Option[String] = None,
    version: Option[String] = None,
    library: Option[String] = None,
    problem: Option[String] = None,
    residentBytes: Long = 0L,
    abandoned: Int = 0,
    workers: Int = 0,
    clients: Int = 0)
