import java.net.URLClassLoader

import sbt._
import sbt.Keys._

/** Tests run in a JVM of their own, started as Spark starts its executors, with the Python of `.venv`. */
object ForkedTests {
  val settings: Seq[Setting[_]] = Seq(
    Test / fork := true,
    Test / testForkedParallel := false,
    Test / baseDirectory := (ThisBuild / baseDirectory).value,
    Test / javaOptions ++= moduleOptions(SparkJars.folder((ThisBuild / baseDirectory).value)),
    Test / javaOptions ++= quietFolders((ThisBuild / baseDirectory).value / "target"),
    Test / javaOptions ++= Seq("-Xmx2g", "-Xss4m", "-ea", "-XX:+UseSerialGC"),
    Test / envVars ++= pythonOf((ThisBuild / baseDirectory).value / ".venv" / "bin"),
    Test / testOptions += Tests.Argument(TestFrameworks.ScalaTest, "-oD"))

  /** Spark's own list, asked from its launcher. */
  def moduleOptions(jars: File): Seq[String] = {
    val launcher = (jars * "spark-launcher_*.jar").get().head
    val loader = new URLClassLoader(Array(launcher.toURI.toURL), ClassLoader.getPlatformClassLoader)
    try {
      val options = loader.loadClass("org.apache.spark.launcher.JavaModuleOptions")
      options.getMethod("defaultModuleOptionArray").invoke(null).asInstanceOf[Array[String]].toSeq
    } finally loader.close()
  }

  private def quietFolders(target: File): Seq[String] = Seq(
    s"-Dspark.sql.warehouse.dir=${target / "spark-warehouse"}",
    s"-Dderby.system.home=${target / "derby"}")

  private def pythonOf(bin: File): Map[String, String] =
    if (!bin.isDirectory) Map.empty
    else {
      val python = sys.env.getOrElse("PYSPARK_PYTHON", (bin / "python").toString)
      Map(
        "PYSPARK_PYTHON" -> python,
        "PYSPARK_DRIVER_PYTHON" -> python,
        "PATH" -> s"$bin${java.io.File.pathSeparator}${sys.env.getOrElse("PATH", "")}")
    }
}
