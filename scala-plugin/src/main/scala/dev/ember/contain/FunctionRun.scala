package dev.ember.contain

/**
 * The functions of one session, as containment knows them.
 *
 * @param fingerprint
 *   the same wherever and whenever the same functions run in an application
 * @param name
 *   what a user calls them
 * @param again
 *   the task has failed before, maybe with its executor
 */
final case class FunctionRun(fingerprint: String, name: String, task: Long, again: Boolean)
