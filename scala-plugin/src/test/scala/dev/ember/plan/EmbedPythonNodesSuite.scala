package dev.ember.plan

import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.{Alias, Literal, NamedExpression}
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation
import org.apache.spark.sql.execution.{FilterExec, ProjectExec, SparkPlan}
import org.apache.spark.sql.execution.python.ember.PythonNodeSamples

import dev.ember.EmberPlugin
import dev.ember.exec.{
  ArrowEvalPythonExec => EmberArrowEvalPythonExec,
  MapInArrowExec => EmberMapInArrowExec,
  MapInPandasExec => EmberMapInPandasExec,
  ProjectExec => EmberProjectExec,
  TransformWithStateInPySparkExec => EmberTransformWithStateInPySparkExec
}
import dev.ember.explain.EmberExplain
import dev.ember.reason.FallbackReason

class EmbedPythonNodesSuite extends AnyFunSuite with BeforeAndAfterAll {
  private val spark: SparkSession = SparkSession
    .builder()
    .master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.plugins", classOf[EmberPlugin].getName)
    .getOrCreate()
  private lazy val child: SparkPlan = spark.range(3).queryExecution.sparkPlan
  private lazy val samples = new PythonNodeSamples(child)

  override def afterAll(): Unit = spark.stop()

  private def withConf[T](key: String, value: String)(body: => T): T = {
    spark.conf.set(key, value)
    try body
    finally spark.conf.unset(key)
  }

  test("every kind is embedded by a node of the same output, partitioning and children") {
    val expected = samples.scalarEvalTypes.map(samples.scalar(_) -> "EmberArrowEvalPython") ++ Seq(
      samples.pickled -> "EmberBatchEvalPython",
      samples.arrowTable -> "EmberArrowEvalPythonUDTF",
      samples.pickledTable -> "EmberBatchEvalPythonUDTF",
      samples.cogroupsInPandas -> "EmberFlatMapCoGroupsInPandas",
      samples.cogroupsInArrow -> "EmberFlatMapCoGroupsInArrow",
      samples.mapInPandas -> "EmberMapInPandas",
      samples.mapInArrow -> "EmberMapInArrow",
      samples.groupState -> "EmberFlatMapGroupsInPandasWithState",
      samples.transform(streams = true, beginsWithStates = false) ->
        "EmberTransformWithStateInPySpark")
    for ((node, name) <- expected) {
      val embedded = EmbedPythonNodes(node)
      assert(embedded.nodeName == name)
      assert(embedded.output == node.output)
      assert(embedded.outputPartitioning == node.outputPartitioning)
      assert(embedded.requiredChildDistribution == node.requiredChildDistribution)
      assert(embedded.children == node.children)
      assert(node.metrics.keySet.subsetOf(embedded.metrics.keySet))
      assert(embedded.canonicalized.getClass == embedded.getClass)
    }
  }

  test("functions with the states of a batch query, or given ones, are embedded too") {
    for ((streams, beginsWithStates) <- Seq((true, true), (false, false), (false, true))) {
      val node = samples.transform(streams, beginsWithStates)
      assert(EmbedPythonNodes(node).isInstanceOf[EmberTransformWithStateInPySparkExec])
    }
  }

  test("a node is swapped below other nodes, though a case class is equal to its subclass") {
    val node = samples.scalar()
    val plan = ProjectExec(node.output.map(identity[NamedExpression]), node)
    assert(EmbedPythonNodes(plan).children.head.isInstanceOf[EmberArrowEvalPythonExec])
    val embedded = EmbedPythonNodes(node)
    assert(node != embedded)
    assert(embedded != node)
  }

  test("rows pass a projection that only renames, unless its parent's code takes it in") {
    val node = samples.scalar()
    val renamed = node.output.map(column => Alias(column, column.name + "2")())
    val renaming = ProjectExec(renamed, node)
    renaming.setLogicalLink(LocalRelation(renaming.output))
    val passed = EmbedPythonNodes(renaming)
    assert(passed.isInstanceOf[EmberProjectExec] && passed.nodeName == "Project")
    assert(passed.output == renaming.output)
    assert(passed.logicalLink.nonEmpty && passed.logicalLink == renaming.logicalLink)
    assert(EmbedPythonNodes(passed) eq passed)
    assert(passed.withNewChildren(passed.children.map(_.clone())).isInstanceOf[EmberProjectExec])
    val filter = FilterExec(Literal(true), renaming)
    assert(EmbedPythonNodes(filter).children.head.getClass == classOf[ProjectExec])
    val computing = ProjectExec(renamed :+ Alias(Literal(1), "one")(), node)
    assert(EmbedPythonNodes(computing).getClass == classOf[ProjectExec])
    assert(EmbedPythonNodes(ProjectExec(child.output, child)).getClass == classOf[ProjectExec])
  }

  test("a node writes its rows with the columns that a projection wants, in their order") {
    val node = samples.scalar()
    val embedded = EmbedPythonNodes(node).asInstanceOf[EmberArrowEvalPythonExec]
    val (before, results) = node.output.splitAt(child.output.length)

    def chosen(columns: Seq[NamedExpression]): Option[Seq[Int]] =
      EmberProjectExec.chosen(ProjectExec(columns, embedded), embedded)

    val first = before.length until node.output.length
    assert(chosen(results).contains(first))
    assert(chosen(node.output).contains(node.output.indices))
    assert(chosen(before ++ before ++ results).contains(before.indices ++ before.indices ++ first))
    assert(chosen(results ++ before ++ results).contains(first ++ before.indices ++ first))
    assert(chosen(results.map(it => Alias(it, "other")())).contains(first))
    assert(chosen(results :+ Alias(Literal(1), "one")()).isEmpty)
    val passed = EmbedPythonNodes(ProjectExec(results, node))
    assert(passed.isInstanceOf[EmberProjectExec] && passed.output == results)
    assert(EmbedPythonNodes(passed) eq passed)
    val map = samples.mapInArrow
    assert(EmbedPythonNodes(ProjectExec(map.output.tail, map)).getClass == classOf[ProjectExec])
  }

  test("two embedded nodes over the same are equal, also after canonicalization") {
    val (first, second) =
      (EmbedPythonNodes(samples.mapInArrow), EmbedPythonNodes(samples.mapInArrow))
    assert(first.canonicalized.getClass == classOf[EmberMapInArrowExec])
    assert(second.canonicalized == second.canonicalized)
    val node = samples.scalar()
    assert(EmbedPythonNodes(node) == EmbedPythonNodes(node))
    assert(EmbedPythonNodes(node).hashCode == EmbedPythonNodes(node).hashCode)
    assert(first.sameResult(first))
  }

  test("the rule leaves what it made as it is") {
    for (node <- Seq[SparkPlan](
        samples.scalar(),
        samples.pickled,
        samples.arrowTable,
        samples.pickledTable,
        samples.cogroupsInPandas,
        samples.cogroupsInArrow,
        samples.mapInPandas,
        samples.mapInArrow)) {
      val once = EmbedPythonNodes(node)
      assert(EmbedPythonNodes(once) eq once)
    }
  }

  test("an embedded node stays one when its child or its expressions are rewritten") {
    val embedded = EmbedPythonNodes(samples.scalar())
    val filter = FilterExec(Literal(true), child)
    assert(embedded.withNewChildren(Seq(filter)).isInstanceOf[EmberArrowEvalPythonExec])
    val renamed = embedded.transformExpressions { case alias: Alias => alias.child }
    assert(renamed.isInstanceOf[EmberArrowEvalPythonExec])
    val pandas = EmbedPythonNodes(samples.mapInPandas).withNewChildren(Seq(filter))
    assert(pandas.isInstanceOf[EmberMapInPandasExec])
    assert(pandas.clone().isInstanceOf[EmberMapInPandasExec])
  }

  test("what is not embedded has its reason") {
    def reason(node: SparkPlan): FallbackReason = Eligibility.of(node) match {
      case Verdict.Stays(reason) => reason
      case other => fail(s"$other")
    }
    assert(reason(samples.somebodys) == FallbackReason.KindNotEmbedded("SomebodysMap"))
    withConf("spark.ember.enabled", "false")(
      assert(reason(samples.scalar()) == FallbackReason.Disabled))
    withConf("spark.ember.lane", "spark")(
      assert(reason(samples.scalar()) == FallbackReason.LaneIsSpark))
    withConf("spark.ember.lane", "moon") {
      assert(reason(samples.scalar()).name == "InvalidConf")
      val node = samples.scalar()
      assert(EmbedPythonNodes(node) eq node)
    }
    assert(Eligibility.of(child) == Verdict.NotPython)
  }

  test("EXPLAIN tells of every Python node") {
    val other = samples.somebodys
    val plan = EmbedPythonNodes(ProjectExec(other.output, other).withNewChildren(Seq(other)))
    assert(
      new EmberExplain().generateExtendedInfo(plan) ==
        "SomebodysMap: on Spark's own runner. " +
        "KindNotEmbedded: SomebodysMap is not a kind of function that Ember runs")
    val embedded = EmbedPythonNodes(samples.scalar())
    assert(new EmberExplain().generateExtendedInfo(embedded) == "EmberArrowEvalPython: embedded")
    assert(new EmberExplain().generateExtendedInfo(child) == "no Python functions")
  }

  test("the plugin alone installs the rule and the explanation") {
    assert(spark.conf.get("spark.sql.extensions") == "dev.ember.EmberExtensions")
    assert(spark.conf.get("spark.sql.extendedExplainProviders") == "dev.ember.explain.EmberExplain")
    val rules = spark.sessionState.columnarRules
    assert(rules.exists(_.preColumnarTransitions == EmbedPythonNodes))
  }
}
