ThisBuild / organization := "dev.ember"
ThisBuild / version := "0.1.0"
ThisBuild / scalaVersion := "2.13.18"
ThisBuild / publishTo := None

lazy val sparkLine = "4.3"

lazy val root = (project in file("."))
  .aggregate(entry, plugin)
  .settings(
    publish / skip := true,
    target := baseDirectory.value / "target" / "sbt") // `clean` must leave cargo's folder alone

// What any Spark may load, whatever its Scala and Java; in the jar, it stands before the plugin.
lazy val entry = (project in file("plugin-entry"))
  .settings(
    publish / skip := true,
    Compile / unmanagedJars := SparkJars.compiledAgainst(SparkJars.folder((ThisBuild / baseDirectory).value)),
    CompilerOptions.ofAnyJava)

lazy val plugin = (project in file("scala-plugin"))
  .dependsOn(entry)
  .settings(
    name := s"ember-spark-$sparkLine",
    Compile / unmanagedSourceDirectories += (ThisBuild / baseDirectory).value / "scala-shims" / s"spark-$sparkLine",
    Compile / unmanagedJars := SparkJars.compiledAgainst(SparkJars.folder((ThisBuild / baseDirectory).value)),
    Test / unmanagedJars := SparkJars.all(SparkJars.folder((ThisBuild / baseDirectory).value)),
    // Spark's messages to workers of any language are made of it; Spark 4.3.0 does not bring it, nor do we.
    libraryDependencies += "com.google.protobuf" % "protobuf-java" % "4.33.5" % Provided,
    libraryDependencies += "org.scalatest" %% "scalatest" % "3.2.20" % Test,
    CompilerOptions.settings,
    ForkedTests.settings,
    PluginJar.settings(sparkLine, Seq(sparkLine), entry),
    MavenLayout.settings(sparkLine))

// Not part of the root: built only by `./sbt "paging/Jmh/run"`.
lazy val paging = (project in file("benches/jvm"))
  .enablePlugins(JmhPlugin)
  .dependsOn(plugin)
  .settings(
    publish / skip := true,
    Compile / unmanagedJars := SparkJars.all(SparkJars.folder((ThisBuild / baseDirectory).value)),
    CompilerOptions.settings,
    Jmh / fork := true,
    Jmh / javaOptions ++= ForkedTests.moduleOptions(SparkJars.folder((ThisBuild / baseDirectory).value)))
