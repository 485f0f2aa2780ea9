package org.apache.spark.sql.execution.python.ember

import java.util.HashMap

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.expressions.codegen.{CodegenContext, CodeGenerator, ExprCode}
import org.apache.spark.sql.catalyst.util.{ArrayBasedMapData, ArrayData, GenericArrayData, MapData}
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.types.UTF8String

/**
 * The order that the entries of a map have once they were in one of Spark's pickles: that of a table of Java's, in
 * which equal keys are one.
 */
private[ember] sealed abstract class TableOrder {

  /** The table of so many keys, with the place at which each came last, put in as Spark's code does it. */
  protected def table(count: Int, key: Int => Any): HashMap[Any, Int]

  /** What a key is in that table. */
  protected def toJava(key: Any, of: DataType): Any

  /** The hash of that. */
  protected def hash(key: Any): Int

  /** The places of a few keys, in the order in which they are put into the table at last. */
  protected def putInto(hashes: Array[Int]): Array[Int]

  private lazy val sizes: Array[Int] = FewKeys.sizes(table)

  /** The places of the entries, as they come out of the table. */
  final def places(keys: ArrayData, of: DataType): Array[Int] = {
    val count = keys.numElements()
    if (count <= FewKeys.Most && TableOrder.isHashedAlike(of)) {
      val hashes = Array.tabulate(count)(at => hash(keys.get(at, of)))
      if (FewKeys.differ(hashes)) FewKeys.sorted(putInto(hashes), hashes, sizes(count))
      else outOf(keys, of)
    } else outOf(keys, of)
  }

  private def outOf(keys: ArrayData, of: DataType): Array[Int] =
    outOf(table(keys.numElements(), at => toJava(keys.get(at, of), of)))

  private def outOf(table: HashMap[Any, Int]): Array[Int] = {
    val places = table.values.iterator
    Array.fill(table.size)(places.next())
  }
}

private[ember] object TableOrder {

  /** Of arguments, as `EvaluatePython.toJava` puts them in. */
  case object OfArguments extends TableOrder {
    override protected def table(count: Int, key: Int => Any): HashMap[Any, Int] = {
      val table = new HashMap[Any, Int](count)
      (0 until count).foreach(place => table.put(key(place), place))
      table
    }

    override protected def putInto(hashes: Array[Int]): Array[Int] = Array.range(0, hashes.length)

    override protected def toJava(key: Any, of: DataType): Any = Pickles.toJava(key, of)

    override protected def hash(key: Any): Int = key match {
      case text: UTF8String => hashOf(text)
      case other => other.hashCode
    }
  }

  /** Of results, as Python pickles a dictionary, so many entries at a time, and `Unpickler` puts each lot in. */
  case object OfResults extends TableOrder {
    private val Lot = 1000
    private val SizeOfLot = 16

    override protected def table(count: Int, key: Int => Any): HashMap[Any, Int] = {
      val table = new HashMap[Any, Int](0) // as of an empty dictionary
      if (count == 1) table.put(key(0), 0): Unit
      else
        (0 until count by Lot).foreach { first =>
          val lot = new HashMap[Any, Int]
          (math.min(first + Lot, count) - 1 to first by -1).foreach(at => lot.put(key(at), at))
          table.putAll(lot)
        }
      table
    }

    override protected def putInto(hashes: Array[Int]): Array[Int] =
      FewKeys.sorted(Array.range(0, hashes.length).reverse, hashes, SizeOfLot)

    /** Out of a pickle, a number is as small as it can be. */
    override protected def toJava(key: Any, of: DataType): Any = key match {
      case number: Byte => number.toInt
      case number: Short => number.toInt
      case number: Long if number.isValidInt => number.toInt
      case text: UTF8String => text.toString
      case other => other
    }

    override protected def hash(key: Any): Int = key match {
      case number: Long if number.isValidInt => number.toInt
      case text: UTF8String => hashOf(text)
      case other => other.hashCode
    }
  }

  def holdsMap(of: DataType): Boolean = of.existsRecursively(_.isInstanceOf[MapType])

  /** The values, with all maps in them in this order. */
  def over(values: Expression, order: TableOrder): Expression =
    if (holdsMap(values.dataType)) InTableOrder(values, order) else values

  /** The same of rows; nothing if no map is in them. */
  def overRows(types: Seq[DataType], order: TableOrder): Option[UnsafeProjection] =
    if (types.exists(holdsMap)) {
      val columns = types.zipWithIndex.map { case (of, index) =>
        over(BoundReference(index, of, nullable = true), order)
      }
      Some(UnsafeProjection.create(columns))
    } else None

  /** Whether a key has the hash in Java that it has here, if it is no text. */
  private def isHashedAlike(of: DataType): Boolean = of match {
    case _: DecimalType | _: StructType => false
    case _ => true
  }

  /** The hash that the text has in Java, of which a character has one byte as a rule. */
  private def hashOf(text: UTF8String): Int = {
    val (base, offset) = (text.getBaseObject, text.getBaseOffset)
    var (hash, at) = (0, 0)
    while (at < text.numBytes) {
      val character = Platform.getByte(base, offset + at)
      if (character < 0) return text.toString.hashCode
      hash = 31 * hash + character
      at += 1
    }
    hash
  }
}

/**
 * A few keys of different hashes: so few never are a tree, and so they lie place by place, and in one place as they
 * were put in.
 */
private object FewKeys {
  val Most = 8

  private val Apart = 1 << 10

  /** How many places the table of so many keys has: with one of that number, the first is no more behind 1. */
  def sizes(table: (Int, Int => Any) => HashMap[Any, Int]): Array[Int] = {
    def isFirst(size: Int, count: Int) =
      table(count, at => if (at == 0) size else 1 + (at - 1) * Apart).keySet.iterator.next() == size
    Array.tabulate(Most + 1) { count =>
      Iterator.iterate(2)(_ * 2).find(size => count < 2 || isFirst(size, count)).get
    }
  }

  def differ(hashes: Array[Int]): Boolean = {
    var (at, same) = (1, false)
    while (at < hashes.length && !same) {
      same = hashes.lastIndexOf(hashes(at), at - 1) >= 0
      at += 1
    }
    !same
  }

  /** These places in the order in which a table of this size has their keys. */
  def sorted(places: Array[Int], hashes: Array[Int], size: Int): Array[Int] = {
    def bin(place: Int) = (hashes(place) ^ hashes(place) >>> 16) & (size - 1)
    var next = 1
    while (next < places.length) {
      val (place, its) = (places(next), bin(places(next)))
      var at = next
      while (at > 0 && bin(places(at - 1)) > its) {
        places(at) = places(at - 1)
        at -= 1
      }
      places(at) = place
      next += 1
    }
    places
  }
}

/** Values in which maps are, with the entries in another order. */
private[ember] final case class InTableOrder(child: Expression, order: TableOrder)
    extends UnaryExpression {
  private lazy val ordered: Any => Any = InTableOrder.ordering(child.dataType, order)

  override def dataType: DataType = child.dataType

  override protected def nullSafeEval(value: Any): Any = ordered(value)

  override protected def doGenCode(ctx: CodegenContext, ev: ExprCode): ExprCode = {
    val function = ctx.addReferenceObj("ordered", ordered, classOf[Any => Any].getName)
    defineCodeGen(
      ctx,
      ev,
      value => s"(${CodeGenerator.javaType(dataType)}) $function.apply($value)")
  }

  override protected def withNewChildInternal(newChild: Expression): InTableOrder =
    copy(child = newChild)
}

private object InTableOrder {
  private def ordering(of: DataType, order: TableOrder): Any => Any = of match {
    case ArrayType(element, _) if TableOrder.holdsMap(element) =>
      val inner = nullSafe(ordering(element, order))
      value => {
        val array = value.asInstanceOf[ArrayData]
        gathered(array.numElements(), place => inner(read(array, place, element)))
      }
    case struct: StructType if TableOrder.holdsMap(struct) =>
      val inner = struct.fields.map(field => nullSafe(ordering(field.dataType, order)))
      value => {
        val row = value.asInstanceOf[InternalRow]
        val fields = struct.fields.indices.map(at => inner(at)(read(row, at, struct(at).dataType)))
        new GenericInternalRow(fields.toArray)
      }
    case map: MapType =>
      val inner = nullSafe(ordering(map.valueType, order))
      value => entries(value.asInstanceOf[MapData], map, order, inner)
    case _ => identity
  }

  /** Values over Arrow's vectors do not look for nulls themselves. */
  private def read(values: SpecializedGetters, at: Int, of: DataType): Any =
    if (values.isNullAt(at)) null else values.get(at, of)

  private def nullSafe(inner: Any => Any): Any => Any =
    value => if (value == null) null else inner(value)

  private def entries(map: MapData, of: MapType, order: TableOrder, inner: Any => Any): MapData = {
    val (keys, values) = (map.keyArray(), map.valueArray())
    val places = order.places(keys, of.keyType)
    if (inPlace(places, keys.numElements()) && !TableOrder.holdsMap(of.valueType)) map
    else
      new ArrayBasedMapData(
        gathered(places.length, at => keys.get(places(at), of.keyType)),
        gathered(places.length, at => inner(read(values, places(at), of.valueType))))
  }

  private def inPlace(places: Array[Int], count: Int): Boolean =
    places.length == count && places.indices.forall(at => places(at) == at)

  private def gathered(count: Int, element: Int => Any): ArrayData =
    new GenericArrayData(Array.tabulate[Any](count)(element))
}
