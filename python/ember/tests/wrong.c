/* Functions for the tests of `ember.native_function`: each is wrong in its own way. */
#include "ember_udf.h"

#include <stdio.h>
#include <stdlib.h>

static void free_schema(struct ArrowSchema *schema) {
  for (int64_t at = 0; at < schema->n_children; at++) {
    schema->children[at]->release(schema->children[at]);
    free(schema->children[at]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void fill_schema(struct ArrowSchema *schema, const char *format, int64_t children) {
  struct ArrowSchema empty = {format, "", NULL, 2, children, NULL, NULL, free_schema, NULL};
  *schema = empty;
  schema->children = calloc((size_t)(children + 1), sizeof(void *));
}

static int32_t one_column(const char *format, struct ArrowSchema *results) {
  fill_schema(results, "+s", 1);
  results->children[0] = calloc(1, sizeof(struct ArrowSchema));
  fill_schema(results->children[0], format, 0);
  return 0;
}

static int32_t texts(const struct ArrowSchema *arguments, struct ArrowSchema *results, char *error, size_t room) {
  (void)arguments, (void)error, (void)room;
  return one_column("u", results);
}

static int32_t numbers(const struct ArrowSchema *arguments, struct ArrowSchema *results, char *error, size_t room) {
  (void)arguments, (void)error, (void)room;
  return one_column("l", results);
}

static void free_array(struct ArrowArray *array) {
  for (int64_t at = 0; at < array->n_children; at++) {
    array->children[at]->release(array->children[at]);
    free(array->children[at]);
  }
  for (int64_t at = 0; at < array->n_buffers; at++) free((void *)array->buffers[at]);
  free(array->buffers);
  free(array->children);
  array->release = NULL;
}

static void fill_array(struct ArrowArray *array, int64_t length, int64_t buffers, int64_t children) {
  struct ArrowArray empty = {length, 0, 0, buffers, children, NULL, NULL, NULL, free_array, NULL};
  *array = empty;
  array->buffers = calloc((size_t)buffers, sizeof(void *));
  array->children = calloc((size_t)(children + 1), sizeof(void *));
}

static struct ArrowArray *column_of(struct ArrowArray *results, int64_t length, int64_t buffers) {
  fill_array(results, length, 1, 1);
  results->children[0] = calloc(1, sizeof(struct ArrowArray));
  fill_array(results->children[0], length, buffers, 0);
  return results->children[0];
}

/* Offsets that go backwards, and beyond the text. */
static int32_t call_backwards(const struct ArrowSchema *schema, struct ArrowArray *arguments,
                              struct ArrowArray *results, char *error, size_t room) {
  (void)schema, (void)error, (void)room;
  struct ArrowArray *column = column_of(results, arguments->length, 3);
  int32_t *offsets = calloc((size_t)arguments->length + 1, sizeof(int32_t));
  offsets[1] = 1000;
  column->buffers[1] = offsets;
  column->buffers[2] = calloc(1, 1);
  arguments->release(arguments);
  return 0;
}

/* One row more than it was given. */
static int32_t call_longer(const struct ArrowSchema *schema, struct ArrowArray *arguments,
                           struct ArrowArray *results, char *error, size_t room) {
  (void)schema, (void)error, (void)room;
  int64_t rows = arguments->length + 1;
  column_of(results, rows, 2)->buffers[1] = calloc((size_t)rows, sizeof(int64_t));
  arguments->release(arguments);
  return 0;
}

static int32_t call_refusing(const struct ArrowSchema *schema, struct ArrowArray *arguments,
                             struct ArrowArray *results, char *error, size_t room) {
  (void)schema, (void)results;
  arguments->release(arguments);
  snprintf(error, room, "no more of this");
  return 7;
}

static int32_t call_crashing(const struct ArrowSchema *schema, struct ArrowArray *arguments,
                             struct ArrowArray *results, char *error, size_t room) {
  (void)schema, (void)arguments, (void)results, (void)error, (void)room;
  abort();
}

#define FUNCTION(name, version, results, call)                                                    \
  const struct EmberUdf *name(void) {                                                             \
    static const struct EmberUdf table = {sizeof(struct EmberUdf), version, 0, EMBER_UDF_SCALAR, 0, results, call}; \
    return &table;                                                                                \
  }

FUNCTION(backwards, EMBER_UDF_MAJOR, texts, call_backwards)
FUNCTION(longer, EMBER_UDF_MAJOR, numbers, call_longer)
FUNCTION(refusing, EMBER_UDF_MAJOR, numbers, call_refusing)
FUNCTION(crashing, EMBER_UDF_MAJOR, numbers, call_crashing)
FUNCTION(of_tomorrow, EMBER_UDF_MAJOR + 1, numbers, call_refusing)

const struct EmberUdf *nothing(void) { return NULL; }
