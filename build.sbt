ThisBuild / organization := "dev.ember"
ThisBuild / version := "0.1.0"
ThisBuild / scalaVersion := SparkLine.newest.scala
ThisBuild / publishTo := None

lazy val root = (project in file("."))
  .aggregate(entry, plugin)
  .settings(
    publish / skip := true,
    target := baseDirectory.value / "target" / "sbt") // `clean` must leave cargo's folder alone

// What any Spark may load, whatever its Scala and Java; in the jar, it stands before the plugin.
lazy val entry = (project in file("plugin-entry"))
  .settings(
    publish / skip := true,
    crossPaths := false, // Java alone, which names what every Scala has
    autoScalaLibrary := false,
    libraryDependencies += "org.scala-lang" % "scala-library" % scalaVersion.value % Provided,
    Compile / unmanagedJars := SparkJars.compiledAgainst(SparkJars.folder((ThisBuild / baseDirectory).value)),
    CompilerOptions.ofAnyJava)

lazy val plugin = (project in file("scala-plugin"))
  .dependsOn(entry)
  .settings(
    pluginFor(SparkLine.newest, SparkJars.folder),
    // Every line's, which only their own projects compile.
    Compile / scalafmt / unmanagedSources := ((Compile / unmanagedSources).value ++
      (((ThisBuild / baseDirectory).value / "scala-shims") ** "*.scala").get()).distinct,
    Test / unmanagedJars := SparkJars.all(SparkJars.folder((ThisBuild / baseDirectory).value)),
    libraryDependencies += "org.scalatest" %% "scalatest" % "3.2.20" % Test,
    ForkedTests.settings)

// Not part of the root: the same sources for each older Spark, whose jars `ci/spark_jars` fetches.
lazy val older = new CompositeProject {
  override def componentProjects: Seq[Project] = SparkLine.older.map { line =>
    Project(line.id, file(s"target/spark-${line.named}"))
      .dependsOn(entry)
      .settings(
        pluginFor(line, SparkJars.fetched(line.release)),
        sourceDirectory := (plugin / sourceDirectory).value,
        Test / sources := Nil)
  }
}

// Every line's: `./sbt jars/packageBin` leaves them in dist.
lazy val jars = (project in file("target/spark-jars"))
  .aggregate(plugin)
  .aggregate(SparkLine.older.map(line => LocalProject(line.id): ProjectReference)*)
  .settings(publish / skip := true)

def pluginFor(line: SparkLine, jars: File => File): Seq[Setting[_]] = Seq[Def.SettingsDefinition](
  name := s"ember-spark-${line.name}",
  scalaVersion := line.scala,
  Compile / unmanagedSourceDirectories ++= line.shims((ThisBuild / baseDirectory).value),
  Compile / unmanagedJars := SparkJars.compiledAgainst(jars((ThisBuild / baseDirectory).value)),
  // Not those of the entry behind them: what this Spark lacks would be found in the newest.
  Compile / unmanagedClasspath := (Compile / unmanagedJars).value,
  // Spark's messages to workers of any language are made of it; Spark 4.3.0 does not bring it, nor do we.
  libraryDependencies += "com.google.protobuf" % "protobuf-java" % "4.33.5" % Provided,
  CompilerOptions.settings,
  PluginJar.settings(line, SparkLine.all, entry),
  MavenLayout.settings(line.name)).flatMap(_.settings)

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
