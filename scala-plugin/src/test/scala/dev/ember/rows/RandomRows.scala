package dev.ember.rows

import scala.util.Random

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.catalyst.util.{ArrayBasedMapData, GenericArrayData}
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.{CalendarInterval, UTF8String}

/** Rows of any type as Spark stores them, a fifth of their values null. */
final class RandomRows(random: Random) {

  def rows(schema: StructType, count: Int): Seq[UnsafeRow] = {
    val project = UnsafeProjection.create(schema)
    Seq.fill(count)(project(row(schema)).copy())
  }

  private def row(schema: StructType): InternalRow =
    InternalRow.fromSeq(schema.map(field => value(field.dataType, field.nullable)))

  private def value(of: DataType, nullable: Boolean): Any =
    if (nullable && random.nextInt(5) == 0) null else solid(of)

  private def solid(of: DataType): Any = of match {
    case NullType => null
    case BooleanType => random.nextBoolean()
    case ByteType => random.nextInt().toByte
    case ShortType => random.nextInt().toShort
    case IntegerType | DateType => random.nextInt(100000)
    case LongType | TimestampType | TimestampNTZType => random.nextLong(1L << 50)
    case FloatType => random.nextFloat()
    case DoubleType => random.nextDouble()
    case StringType => UTF8String.fromString(random.alphanumeric.take(random.nextInt(60)).mkString)
    case BinaryType => random.nextBytes(random.nextInt(200))
    case decimal: DecimalType =>
      Decimal(random.nextInt(1000).toLong, decimal.precision, decimal.scale)
    case CalendarIntervalType =>
      new CalendarInterval(random.nextInt(9), 3, random.nextLong(1L << 40))
    case ArrayType(element, nulls) => array(element, nulls, random.nextInt(6))
    case MapType(key, of, nulls) =>
      val entries = random.nextInt(4)
      new ArrayBasedMapData(array(key, nulls = false, entries), array(of, nulls, entries))
    case struct: StructType => row(struct)
    case other => throw new IllegalArgumentException(s"no values of $other")
  }

  private def array(of: DataType, nulls: Boolean, length: Int): GenericArrayData =
    new GenericArrayData(Array.fill[Any](length)(value(of, nulls)))
}
