/*
 * Functions for Ember in C, or in whatever can be called as C.
 *
 * A library exports one function without arguments for each of its functions. What that returns is a table that
 * lives as long as the library:
 *
 *     static int32_t results(const struct ArrowSchema *arguments, struct ArrowSchema *results, char *error, size_t room);
 *     static int32_t call(const struct ArrowSchema *schema, struct ArrowArray *arguments, struct ArrowArray *results,
 *                         char *error, size_t room);
 *     const struct EmberUdf *twice(void) {
 *       static const struct EmberUdf table = {sizeof table, EMBER_UDF_MAJOR, EMBER_UDF_MINOR, EMBER_UDF_SCALAR, 0,
 *                                             results, call};
 *       return &table;
 *     }
 *
 * Batches and their schemas are those of Arrow's C Data Interface: a batch is a struct array without nulls of its
 * own, with a child for each column.
 */
#ifndef EMBER_UDF_H
#define EMBER_UDF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another major number is another contract. A greater minor one has more at the end of the table. */
#define EMBER_UDF_MAJOR 1
#define EMBER_UDF_MINOR 0

/* One column of results, with a row for each row of the arguments. */
#define EMBER_UDF_SCALAR 0
/* Columns of results, with as many rows as the function likes. */
#define EMBER_UDF_MAP 1

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif

struct EmberUdf {
  /* sizeof this struct, as the library was compiled. */
  uint32_t size;
  uint16_t major;
  uint16_t minor;
  /* EMBER_UDF_SCALAR or EMBER_UDF_MAP. */
  uint32_t kind;
  uint32_t reserved;

  /*
   * Writes the schema of what `call` gives for such arguments. Called before the first batch of a partition.
   *
   * Both functions return 0, or anything else after writing at most `room` bytes of a text that ends in 0. They may
   * be called by any thread, and by several at once, and never unwind.
   */
  int32_t (*results)(const struct ArrowSchema *arguments, struct ArrowSchema *results, char *error, size_t room);

  /*
   * Gives the results for a batch. `arguments` is the callee's from here on, which releases it. Its buffers are not
   * to be written to; they may be part of the results.
   */
  int32_t (*call)(const struct ArrowSchema *schema, struct ArrowArray *arguments, struct ArrowArray *results,
                  char *error, size_t room);
};

#ifdef __cplusplus
}
#endif
#endif
