package dev.ember.session.contract

/**
 * A function as its worker gets it, in whatever language it is.
 *
 * @param name
 *   for people
 * @param kind
 *   what a call takes and gives: the number that Spark has for it
 * @param format
 *   how the payload is to be read
 * @param input
 *   Arrow's IPC message of the schema of its batches
 * @param output
 *   the same of its results; nothing if only they say it
 */
final case class WorkerFunction(
    name: String,
    kind: Int,
    format: String,
    payload: Array[Byte],
    input: Array[Byte],
    output: Option[Array[Byte]] = None)

/**
 * The worker that a function needs.
 *
 * @param executable
 *   whose installation runs it
 * @param scope
 *   who may use the same process
 * @param files
 *   what the functions bring to be found beside them
 * @param environment
 *   the variables that it must see
 * @param application
 *   whose function it is; processes end with their application
 */
final case class WorkerSpec(
    executable: String,
    scope: Scope,
    files: Set[String],
    environment: Map[String, String],
    application: String)
