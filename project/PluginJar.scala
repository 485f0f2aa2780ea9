import sbt._
import sbt.Keys._

/**
 * What the plugin's jar holds beside its classes: the classes of its entry, the Spark it is for, the native libraries
 * that `ci/build` staged, and the Python package `ember_worker`. All but the classes are resources, so tests see what
 * users will see.
 */
object PluginJar {
  def settings(line: SparkLine, lines: Seq[SparkLine], entry: Project): Seq[Setting[_]] = Seq(
    Compile / unmanagedResourceDirectories += stagedNatives((ThisBuild / baseDirectory).value),
    Compile / resourceGenerators += workerPackage.taskValue,
    Compile / resourceGenerators += whichSpark(line, lines).taskValue,
    Compile / packageBin / mappings ++= (entry / Compile / packageBin / mappings).value,
    Compile / packageSrc / mappings ++= (entry / Compile / packageSrc / mappings).value,
    Compile / packageBin / artifactPath :=
      (ThisBuild / baseDirectory).value / "dist" / s"ember-spark-${line.named}.jar")

  private def stagedNatives(root: File): File = root / "target" / "jar"

  /** Copies `ember_worker` to `ember/python/`, with the list of its files and their hashes. */
  private def workerPackage = Def.task {
    val sources = (ThisBuild / baseDirectory).value / "python" / "ember-worker" / "src"
    val folder = (Compile / resourceManaged).value / "ember" / "python"
    val copies = (sources ** ("*.py" || "py.typed")).get().sorted.flatMap { source =>
      IO.relativize(sources, source).map(name => (source, folder / name))
    }
    val sums = folder / "SHA256SUMS"
    IO.delete((folder ** "*").get().filter(_.isFile).filterNot(copies.map(_._2).toSet + sums))
    IO.copy(copies, overwrite = false, preserveLastModified = true, preserveExecutable = false)
    val lines = copies.map { case (_, copy) =>
      s"${Hash.toHex(sha256(copy))}  ${IO.relativize(folder, copy).get}"
    }
    if (!sums.exists || IO.readLines(sums) != lines) IO.writeLines(sums, lines)
    copies.map(_._2) :+ sums
  }

  /** What `dev.ember.SparkLine` reads. */
  private def whichSpark(line: SparkLine, lines: Seq[SparkLine]) = Def.task {
    val file = (Compile / resourceManaged).value / "ember" / "spark-line.properties"
    val told = Seq(s"own=${line.named}", s"every=${lines.map(_.named).mkString(",")}")
    if (!file.exists || IO.readLines(file) != told) IO.writeLines(file, told)
    Seq(file)
  }

  private def sha256(file: File): Array[Byte] =
    java.security.MessageDigest.getInstance("SHA-256").digest(IO.readBytes(file))
}
