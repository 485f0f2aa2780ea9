package parity;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.ArrowUtils;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.apache.spark.sql.vectorized.ArrowColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.TaskCompletionListener;

/** A table whose batches are Arrow vectors, as those of some connectors are: longs, and text with nulls. */
public final class ArrowSource implements TableProvider {
  private static final int PARTITIONS = 2;
  private static final int BATCHES = 3;
  private static final int ROWS = 7;

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return new StructType().add("v", "long").add("s", "string");
  }

  @Override
  public Table getTable(StructType schema, Transform[] partitions, Map<String, String> properties) {
    return new Numbers(schema);
  }

  private record Numbers(StructType read) implements SupportsRead, Scan, Batch {
    @Override
    public String name() {
      return "numbers";
    }

    @Override
    @SuppressWarnings("deprecation")
    public StructType schema() {
      return read;
    }

    @Override
    public Set<TableCapability> capabilities() {
      return Set.of(TableCapability.BATCH_READ);
    }

    @Override
    public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
      return () -> this;
    }

    @Override
    public StructType readSchema() {
      return read;
    }

    @Override
    public Batch toBatch() {
      return this;
    }

    @Override
    public InputPartition[] planInputPartitions() {
      InputPartition[] parts = new InputPartition[PARTITIONS];
      for (int part = 0; part < PARTITIONS; part++) {
        parts[part] = new Part(part);
      }
      return parts;
    }

    @Override
    public PartitionReaderFactory createReaderFactory() {
      return new Readers();
    }
  }

  private record Part(int number) implements InputPartition {}

  private static final class Readers implements PartitionReaderFactory {
    @Override
    public boolean supportColumnarReads(InputPartition partition) {
      return true;
    }

    @Override
    public PartitionReader<InternalRow> createReader(InputPartition partition) {
      throw new UnsupportedOperationException("this table gives columns");
    }

    @Override
    public PartitionReader<ColumnarBatch> createColumnarReader(InputPartition partition) {
      return new Reader(((Part) partition).number());
    }
  }

  /** Each batch has vectors of its own until the task ends: Spark's node looks at them when it likes. */
  private static final class Reader implements PartitionReader<ColumnarBatch> {
    private final BufferAllocator allocator =
        ArrowUtils.rootAllocator().newChildAllocator("numbers", 0, Long.MAX_VALUE);
    private final List<ColumnarBatch> batches = new ArrayList<>();
    private final int partition;

    Reader(int partition) {
      this.partition = partition;
      TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> free());
    }

    @Override
    public boolean next() {
      return batches.size() < BATCHES;
    }

    @Override
    public ColumnarBatch get() {
      BigIntVector longs = new BigIntVector("v", allocator);
      VarCharVector texts = new VarCharVector("s", allocator);
      for (int row = 0; row < ROWS; row++) {
        long value = partition * 1000L + batches.size() * ROWS + row;
        longs.setSafe(row, value);
        if (value % 5 == 0) {
          texts.setNull(row);
        } else {
          texts.setSafe(row, ("t\u2603" + value).getBytes(StandardCharsets.UTF_8));
        }
      }
      longs.setValueCount(ROWS);
      texts.setValueCount(ROWS);
      ColumnVector[] columns = {new ArrowColumnVector(longs), new ArrowColumnVector(texts)};
      batches.add(new ColumnarBatch(columns, ROWS));
      return batches.get(batches.size() - 1);
    }

    @Override
    public void close() {}

    private void free() {
      batches.forEach(ColumnarBatch::close);
      allocator.close();
    }
  }
}
