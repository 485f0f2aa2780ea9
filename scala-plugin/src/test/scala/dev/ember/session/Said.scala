package dev.ember.session

import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters._

import org.apache.logging.log4j.Level
import org.apache.logging.log4j.core.{LogEvent, LoggerContext}
import org.apache.logging.log4j.core.appender.AbstractAppender
import org.apache.logging.log4j.core.config.{Configurator, Property}

/** What a class says in the log. */
object Said {

  /** The lines of `speaker` at `level` and above while `act` runs. */
  def by(speaker: Class[?], level: Level)(act: => Unit): Seq[String] = {
    val lines = new ConcurrentLinkedQueue[String]
    val ear = new AbstractAppender("ear", null, null, false, Property.EMPTY_ARRAY) {
      override def append(event: LogEvent): Unit =
        lines.add(event.getMessage.getFormattedMessage): Unit
    }
    ear.start()
    val logger = LoggerContext.getContext(false).getLogger(speaker.getName)
    val before = logger.getLevel
    Configurator.setLevel(speaker.getName, level)
    logger.addAppender(ear)
    try act
    finally {
      logger.removeAppender(ear)
      Configurator.setLevel(speaker.getName, before)
    }
    lines.asScala.toSeq
  }
}
