package org.apache.spark.sql.execution.python.ember

import scala.jdk.CollectionConverters._

import org.apache.arrow.memory.BufferAllocator
import org.apache.arrow.vector.VectorSchemaRoot

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.execution.RowToColumnConverter
import org.apache.spark.sql.execution.arrow.ArrowWriter
import org.apache.spark.sql.execution.vectorized.{
  OffHeapColumnVector,
  OnHeapColumnVector,
  WritableColumnVector
}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.vectorized.{ArrowColumnVector, ColumnarBatch, ColumnVector}

/** Rows as the column batches of Spark's readers. */
object Vectors {
  def onHeap(schema: StructType, rows: Seq[InternalRow]): ColumnarBatch =
    written(schema, rows, OnHeapColumnVector.allocateColumns(rows.length, schema).toSeq)

  def offHeap(schema: StructType, rows: Seq[InternalRow]): ColumnarBatch =
    written(schema, rows, OffHeapColumnVector.allocateColumns(rows.length, schema).toSeq)

  def arrow(
      schema: StructType,
      rows: Seq[InternalRow],
      allocator: BufferAllocator): ColumnarBatch = {
    val root = VectorSchemaRoot.create(ArrowSchemas.of(schema), allocator)
    val writer = ArrowWriter.create(root)
    rows.foreach(writer.write)
    writer.finish()
    val columns = root.getFieldVectors.asScala.map(new ArrowColumnVector(_): ColumnVector)
    new ColumnarBatch(columns.toArray, rows.length)
  }

  private def written(
      schema: StructType,
      rows: Seq[InternalRow],
      vectors: Seq[WritableColumnVector]): ColumnarBatch = {
    val converter = new RowToColumnConverter(schema)
    rows.foreach(converter.convert(_, vectors.toArray))
    new ColumnarBatch(vectors.map(identity[ColumnVector]).toArray, rows.length)
  }
}
