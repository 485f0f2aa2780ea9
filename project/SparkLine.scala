import sbt._

/**
 * A line of Spark that there is a jar for, by the release that the jar is compiled against, and by which Scala. Where
 * PySpark brings the release with another Scala, its name ends with this one.
 */
final case class SparkLine(release: String, scala: String) {
  val name: String = release.split('.').take(2).mkString(".")

  /** What its jar is called, after `ember-spark-`. */
  val named: String = s"${name}_${scala.split('.').take(2).mkString(".")}"

  /** Of the project that makes the jar: `plugin35`, and `plugin35_213` beside it. */
  val id: String = s"plugin${(if (release.contains('_')) named else name).replace(".", "")}"

  /** The folders of `scala-shims` for it: `spark-4.2` is for one line, `spark-4.1-4.3` for those from 4.1 to 4.3. */
  def shims(root: File): Seq[File] =
    (root / "scala-shims" * "spark-*").get().sorted.filter { folder =>
      val range = folder.getName.stripPrefix("spark-").split('-').map(SparkLine.numbers)
      val mine = SparkLine.numbers(name)
      Ordering[(Int, Int)].gteq(mine, range.head) && Ordering[(Int, Int)].lteq(mine, range.last)
    }
}

object SparkLine {

  /** Those of `ci/pairs.txt`, from the oldest to the newest. */
  val all: Seq[SparkLine] = IO
    .readLines(file("ci/pairs.txt"))
    .filterNot(line => line.startsWith("#") || line.trim.isEmpty)
    .map(_.split(" +"))
    .map(words => SparkLine(words(0), words(1)))

  /** That of `.venv`. */
  val newest: SparkLine = all.last

  val older: Seq[SparkLine] = all.init

  private def numbers(name: String): (Int, Int) = {
    val Array(major, minor) = name.split('.').map(_.toInt)
    (major, minor)
  }
}
