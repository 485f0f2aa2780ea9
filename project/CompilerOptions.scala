import sbt._
import sbt.Keys._

object CompilerOptions {
  private val ofAnyScala = Seq(
    "-encoding", "utf8", "-release", "17", "-deprecation", "-feature", "-unchecked", "-explaintypes", "-Xsource:3")

  private val ofScala213 = Seq(
    "-Xlint:_,-byname-implicit", "-Wdead-code", "-Wextra-implicit", "-Wnumeric-widen",
    "-Woctal-literal", "-Wvalue-discard", "-Wnonunit-statement", "-Wunused:_", "-Wunused:-nowarn",
    "-Wmacros:after",
    "-Wconf:any:e",
    "-Wconf:cat=scala3-migration:s", // we cross no Scala 3
    "-Wconf:cat=other-pure-statement&msg=scala\\.xml\\.NodeBuffer:s", // XML in the text, with Spark 4.0's library
    "-Wconf:cat=deprecation&origin=org\\.apache\\.spark\\..*:ws") // Spark deprecates between versions; the seam decides

  /** Most sources are those of 2.13, which has more to say of them. */
  private val ofScala212 = Seq(
    "-Ypartial-unification", // as it always is in 2.13
    "-Wconf:any:e",
    "-Wconf:cat=deprecation&origin=org\\.apache\\.spark\\..*:ws")

  val settings: Seq[Setting[_]] = Seq(
    scalacOptions ++= ofAnyScala ++ (if (scalaBinaryVersion.value == "2.12") ofScala212 else ofScala213),
    Test / scalacOptions -= "-Wnonunit-statement", // assert(...) is a statement
    Test / scalacOptions += "-Xcheckinit", // costs run time, so not in the released jar
    Compile / console / scalacOptions --= Seq("-Wconf:any:e", "-Wunused:_"),
    javacOptions ++= Seq("-encoding", "utf8", "--release", "17"),
    Compile / compile / javacOptions ++= Seq("-Xlint:all,-processing,-options,-classfile", "-Werror"))

  /** Java alone, for the oldest JVM that a Spark we know of runs on: Spark 3.5 on Java 8. */
  val ofAnyJava: Seq[Setting[_]] = Seq(
    javacOptions ++= Seq("-encoding", "utf8", "--release", "8"),
    Compile / compile / javacOptions ++= Seq("-Xlint:all,-processing,-options,-classfile", "-Werror"))
}
