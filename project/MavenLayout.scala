import scala.xml.{Elem, Node, NodeSeq}
import scala.xml.transform.{RewriteRule, RuleTransformer}

import sbt._
import sbt.Keys._

/**
 * What `./sbt plugin/publish` leaves in `dist/maven`: a repository to name in `spark.jars.repositories`, or to put
 * anywhere that serves files.
 */
object MavenLayout {
  def settings(sparkLine: String): Seq[Setting[_]] = Seq(
    moduleName := s"ember-spark-$sparkLine", // sbt would make a dash of the dot
    description := "PySpark's Python functions inside the executor",
    licenses := Seq("Apache-2.0" -> url("https://www.apache.org/licenses/LICENSE-2.0.txt")),
    versionScheme := Some("early-semver"),
    publishMavenStyle := true,
    publishTo := Some(MavenCache("ember", (ThisBuild / baseDirectory).value / "dist" / "maven")),
    publishConfiguration := publishConfiguration.value.withOverwrite(true),
    Compile / packageSrc / mappings := (Compile / packageSrc / mappings).value
      .filter { case (_, name) => name.endsWith(".scala") || name.endsWith(".java") },
    Compile / doc / scalacOptions := Seq(
      "-encoding", "utf8", "-Xsource:3", "-Wconf:any:s", "-no-link-warnings",
      "-doc-title", s"Ember for Spark $sparkLine", "-doc-version", version.value),
    pomIncludeRepository := (_ => false),
    pomPostProcess := (new RuleTransformer(WithoutDependencies).apply(_: Node)))

  /** Spark has every jar that the plugin needs, Scala's too; a second copy beside it could only do harm. */
  private object WithoutDependencies extends RewriteRule {
    override def transform(node: Node): NodeSeq = node match {
      case element: Elem if element.label == "dependencies" => NodeSeq.Empty
      case other => other
    }
  }
}
