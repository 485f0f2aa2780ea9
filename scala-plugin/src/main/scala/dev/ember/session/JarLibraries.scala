package dev.ember.session

import scala.collection.mutable
import scala.util.control.NonFatal

import dev.ember.nativeapi.NativeLibraries
import dev.ember.reason.FallbackReason

/**
 * The jar's libraries, loaded once. Where they cannot be, that stands for a while: to find out, all of them are
 * unpacked, and every session would wait for it.
 *
 * @param install
 *   loads them; the Python helps where no folder will do
 */
private[session] final class JarLibraries(
    install: String => Either[String, NativeLibraries.Installed],
    now: () => Long = () => System.nanoTime()) {
  private val useless = mutable.Map.empty[String, Useless]
  @volatile private var loaded: Option[NativeLibraries.Installed] = None

  def areLoaded: Boolean = loaded.nonEmpty

  def loadedWith(python: String): Either[FallbackReason, NativeLibraries.Installed] =
    synchronized {
      loaded
        .map(Right(_))
        .orElse(useless.get(python).filterNot(_.isOver(now())).map(found => Left(found.why)))
        .getOrElse(tried(python))
    }

  private def tried(python: String): Either[FallbackReason, NativeLibraries.Installed] = {
    val told =
      try install(python).left.map(FallbackReason.NoNative(_))
      catch {
        case error @ (NonFatal(_) | _: LinkageError) =>
          Left(FallbackReason.NoNative(FallbackReason.oneLine(error)))
      }
    told match {
      case Right(installed) => loaded = Some(installed)
      case Left(why) if Useless.stands(python) => useless.put(python, Useless(why, now())): Unit
      case Left(_) => ()
    }
    told
  }
}
