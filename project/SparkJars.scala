import sbt._
import sbt.Keys._
import scala.sys.process._

/** The jars of the installed PySpark: the plugin is compiled against the bytes it will run beside. */
object SparkJars {

  /** `EMBER_SPARK_JARS`, or else the `jars` folder of the PySpark in `.venv`. */
  def folder(root: File): File = {
    val jars = sys.env.get("EMBER_SPARK_JARS").map(file).getOrElse(ofVirtualEnvironment(root))
    if (!jars.isDirectory) sys.error(s"$jars holds no Spark jars; run ci/build once, or set EMBER_SPARK_JARS")
    jars
  }

  /** Those of another Spark than that of `.venv`. */
  def fetched(version: String)(root: File): File = {
    val jars = root / "target" / "spark" / version / "jars"
    if (!jars.isDirectory) sys.error(s"$jars is missing; run ci/spark_jars $version once")
    jars
  }

  /** Every jar of Spark, for the tests to run on. */
  def all(folder: File): Classpath = classpath(folder, _ => true)

  /** The few that the plugin may name. Anything else would be an accidental dependency. */
  def compiledAgainst(folder: File): Classpath =
    classpath(folder, name => compileNames.exists(prefix => name.startsWith(prefix)))

  private val compileNames = Seq(
    "spark-core_", "spark-sql_", "spark-sql-api_", "spark-catalyst_", "spark-common-utils_",
    "spark-common-utils-java_", "spark-unsafe_", "spark-tags_", "spark-variant_", "spark-config_",
    "spark-network-common_", "spark-kvstore_", "spark-launcher_", "spark-udf-worker-core_", "spark-udf-worker-proto_",
    "arrow-vector-", "arrow-memory-core-", "arrow-format-", "flatbuffers-java-",
    "jackson-core-", "jackson-databind-", "jackson-annotations-", "jackson-module-scala_", "jackson-core-asl-",
    "json4s-", "slf4j-api-", "log4j-api-", "netty-buffer-", "netty-common-", "jakarta.servlet-api-",
    "hadoop-client-api-", "metrics-core-", "guava-", "commons-lang3-", "kryo-shaded-", "chill-java-", "chill_",
    "RoaringBitmap-", "pickle-", "scala-reflect-", "scala-xml_", "scala-collection-compat_", "scala-parallel-collections_", "jsr305-")

  private def ofVirtualEnvironment(root: File): File = {
    val python = root / ".venv" / "bin" / "python"
    if (!python.exists) sys.error(s"$python is missing; run ci/build once, or set EMBER_SPARK_JARS")
    val script = "import importlib.util as u; print(u.find_spec('pyspark').submodule_search_locations[0])"
    file(Seq(python.toString, "-c", script).!!.trim) / "jars"
  }

  private def classpath(folder: File, wanted: String => Boolean): Classpath =
    (folder * "*.jar").get().filter(jar => wanted(jar.getName)).sortBy(_.getName).classpath
}
