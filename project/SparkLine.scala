import sbt._

/**
 * A line of Spark that there is a jar for.
 *
 * @param shims
 *   the folders of `scala-shims` that are compiled with the plugin; one that lines share has their range as its name
 * @param jars
 *   where Spark's jars are, from the root of the repository
 */
final case class SparkLine(name: String, shims: Seq[String], jars: File => File)

object SparkLine {
  val Newest: SparkLine = SparkLine("4.3", Seq("spark-4.2-4.3", "spark-4.3"), SparkJars.folder)

  val V42: SparkLine = SparkLine("4.2", Seq("spark-4.2-4.3", "spark-4.2"), SparkJars.fetched("4.2.1"))

  /** Those that users are told of. */
  val released: Seq[SparkLine] = Seq(V42, Newest)
}
