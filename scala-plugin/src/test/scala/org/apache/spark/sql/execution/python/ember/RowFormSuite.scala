package org.apache.spark.sql.execution.python.ember

import java.nio.charset.StandardCharsets.UTF_8

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.scalatest.funsuite.AnyFunSuite

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.types._

class RowFormSuite extends AnyFunSuite {

  /** A point that is stored as an array of two. */
  private final class PointType extends UserDefinedType[AnyRef] {
    override def sqlType: DataType = ArrayType(DoubleType, containsNull = false)
    override def serialize(point: AnyRef): Any = point
    override def deserialize(stored: Any): AnyRef = stored.asInstanceOf[AnyRef]
    override def userClass: Class[AnyRef] = classOf[AnyRef]
  }

  private def struct(of: DataType): StructType = new StructType().add("a", of)

  private def stored(of: DataType): Option[DataType] =
    RowForm.stored(struct(of)).map(_.head.dataType)

  private val form = RowForm(
    input = StructType.fromDDL("a long, `quoted \"name\"` string"),
    arguments = StructType.fromDDL("_0 string"),
    ordinals = Some(Seq(1)),
    output = StructType.fromDDL("r array<int>"),
    large = false,
    wrapped = false,
    joined = true)

  test("plain types are stored as they are, at any depth") {
    val plain = StructType.fromDDL(
      "a boolean, b byte, c short, d int, e long, f float, g double, h date, i timestamp," +
        "j timestamp_ntz, k binary, l void, m variant, n interval, o string, p decimal(38,3)," +
        "q interval year to month, r interval day to second," +
        "s map<string,array<struct<x:decimal(4,2)>>>")
    assert(RowForm.stored(plain).contains(plain))
  }

  test("user-defined types are stored as what they consist of, at any depth") {
    val point = new PointType
    assert(stored(point).contains(point.sqlType))
    assert(stored(ArrayType(point)).contains(ArrayType(point.sqlType)))
    assert(stored(struct(point)).contains(struct(point.sqlType)))
    assert(stored(MapType(IntegerType, point)).contains(MapType(IntegerType, point.sqlType)))
  }

  test("a type without a native conversion has no form, wherever it stands") {
    val other = ObjectType(classOf[String])
    for (of <- Seq(other, ArrayType(other), MapType(StringType, other), struct(other)))
      assert(stored(of).isEmpty, of)
  }

  test("nulls are allowed only where every field, element and value may be null") {
    assert(RowForm.nullsAllowed(StructType.fromDDL("a int, b array<map<int,struct<x:int>>>")))
    val strict = struct(IntegerType).map(_.copy(nullable = false))
    for (of <- Seq(
        StructType(strict),
        struct(ArrayType(IntegerType, containsNull = false)),
        struct(MapType(IntegerType, IntegerType, valueContainsNull = false)),
        struct(ArrayType(StructType(strict))),
        struct(MapType(StructType(strict), IntegerType))))
      assert(!RowForm.nullsAllowed(of), of)
  }

  private def parsed(form: RowForm): JsonNode =
    new ObjectMapper().readTree(new String(form.plan("/a \"b\""), UTF_8))

  private def schema(plan: JsonNode, key: String): DataType =
    DataType.fromJson(plan.get(key).toString)

  test("the plan is JSON that holds the form") {
    val plan = parsed(form)
    assert(schema(plan, "input") == form.input)
    assert(schema(plan, "arguments") == form.arguments)
    assert(schema(plan, "output") == form.output)
    assert(plan.get("ordinals").toString == "[1]")
    assert(plan.get("joined").asBoolean && !plan.get("large").asBoolean)
    assert(!plan.get("wrapped").asBoolean)
    assert(plan.get("spill_folder").asText == "/a \"b\"")
  }

  test("a plan without ordinals says so") {
    val plan = parsed(form.copy(ordinals = None, large = true, wrapped = true, joined = false))
    assert(plan.get("ordinals").isNull)
    assert(plan.get("large").asBoolean && plan.get("wrapped").asBoolean)
    assert(!plan.get("joined").asBoolean)
    assert(parsed(form.copy(ordinals = Some(Nil))).get("ordinals").toString == "[]")
  }

  test("an output row has the input's fields before its own only when it is joined") {
    assert(form.outputFields == 3)
    assert(form.copy(joined = false).outputFields == 1)
  }

  test("rows that Spark stores in its own form are written as they are, others are converted") {
    val of = StructType.fromDDL("a long")
    val toUnsafe = RowRun.toUnsafe(of)
    val unsafe: UnsafeRow = UnsafeProjection.create(of)(InternalRow(5L)).copy()
    assert(toUnsafe(unsafe) eq unsafe)
    assert(toUnsafe(InternalRow(5L)) == unsafe)
  }
}
