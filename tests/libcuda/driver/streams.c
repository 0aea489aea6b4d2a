// Streams and events. A stream keeps what it is given until somebody waits for it, as a device that
// is always late: who forgets to wait sees old contents. It can also be early, or anything between.
#include <stdlib.h>
#include <time.h>

#include "state.h"

static enum Schedule schedule = LATE;
static uint32_t random_state;

void set_schedule(enum Schedule chosen, uint32_t seed) {
  schedule = chosen;
  random_state = seed;
}

static bool toss_coin(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 31;
}

CUresult find_stream(CUcontext context, const char *function, CUstream handle, CUstream *found) {
  REQUIRE(handle != CU_STREAM_PER_THREAD, CUDA_ERROR_NOT_SUPPORTED,
          "%s: default streams of threads are not modelled", function);
  const bool is_default = handle == NULL || handle == CU_STREAM_LEGACY;
  REQUIRE(is_default || CONTAINS(context->streams, handle), CUDA_ERROR_INVALID_HANDLE,
          "%s: the stream was destroyed, or is another context's", function);
  *found = is_default ? &context->default_stream : handle;
  return CUDA_SUCCESS;
}

bool is_stream_of(CUcontext context, CUstream stream) {
  return stream == &context->default_stream || CONTAINS(context->streams, stream);
}

// The default stream and the others wait for each other, unless one was made not to.
static CUresult finish_others(CUcontext context, CUstream stream, uint64_t before) {
  if (!stream->waits_for_default) return CUDA_SUCCESS;
  if (stream != &context->default_stream) return finish(context, &context->default_stream, before);
  for (CUstream other = context->streams; other; other = other->next)
    if (other->waits_for_default) RETURN_UNLESS_DONE(finish(context, other, before));
  return CUDA_SUCCESS;
}

static void free_operation(Operation *operation) {
  if (operation->run == run_launch) free(operation->launch.arguments);
  free(operation);
}

void run_one(CUcontext context, CUstream stream) {
  Operation *operation = stream->first;
  stream->first = operation->next;
  CUresult result = finish_others(context, stream, operation->number);
  if (!result) result = operation->run(context, operation);
  if (result) context->error = result;
  free_operation(operation);
}

// Does all that the stream was given up to the operation of this number.
CUresult finish(CUcontext context, CUstream stream, uint64_t last) {
  while (stream->first && stream->first->number <= last && !context->error)
    run_one(context, stream);
  return context->error;
}

CUresult finish_stream(CUcontext context, CUstream stream) {
  return finish(context, stream, context->submitted);
}

CUresult finish_context(CUcontext context) {
  RETURN_UNLESS_DONE(finish_stream(context, &context->default_stream));
  for (CUstream stream = context->streams; stream; stream = stream->next)
    RETURN_UNLESS_DONE(finish_stream(context, stream));
  return CUDA_SUCCESS;
}

static void run_some(CUcontext context) {
  while (context->default_stream.first && !context->error && toss_coin())
    run_one(context, &context->default_stream);
  for (CUstream stream = context->streams; stream; stream = stream->next)
    while (stream->first && !context->error && toss_coin()) run_one(context, stream);
}

CUresult submit(CUcontext context, CUstream stream, Operation operation) {
  Operation *kept = malloc(sizeof *kept);
  *kept = operation;
  kept->number = ++context->submitted, kept->next = NULL;
  if (stream->first)
    stream->last->next = kept;
  else
    stream->first = kept;
  stream->last = kept;
  // What fails now is told by a later call, as the device would.
  if (schedule == EARLY) finish_stream(context, stream);
  if (schedule == ANY) run_some(context);
  return CUDA_SUCCESS;
}

static bool any_uses(CUstream stream, const uint8_t *start, size_t bytes) {
  for (const Operation *o = stream->first; o; o = o->next) {
    const uint8_t *used = o->host;
    if (used && used < start + bytes && start < used + o->host_bytes) return true;
  }
  return false;
}

bool is_waited_for(CUcontext context, const void *start, size_t bytes) {
  for (CUstream stream = context->streams; stream; stream = stream->next)
    if (any_uses(stream, start, bytes)) return true;
  return any_uses(&context->default_stream, start, bytes);
}

static void drop_operations(CUstream stream) {
  while (stream->first) {
    Operation *operation = stream->first;
    stream->first = operation->next;
    free_operation(operation);
  }
}

void forget_streams(CUcontext context) {
  drop_operations(&context->default_stream);
  while (context->streams) {
    CUstream stream = context->streams;
    drop_operations(stream);
    REMOVE(context->streams, stream);
    free(stream);
  }
  while (context->events) {
    CUevent event = context->events;
    REMOVE(context->events, event);
    free(event);
  }
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  ENTER_CONTEXT(context);
  REQUIRE(flags <= CU_STREAM_NON_BLOCKING, CUDA_ERROR_INVALID_VALUE, "%s: flags %u", __func__,
          flags);
  *stream = calloc(1, sizeof **stream);
  (*stream)->waits_for_default = flags == CU_STREAM_DEFAULT;
  PUSH(context->streams, *stream);
  return CUDA_SUCCESS;
}

CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) {
  (void)priority;
  return cuStreamCreate(stream, flags);
}

// What it was given is still done.
CUresult cuStreamDestroy(CUstream handle) {
  ENTER_CONTEXT(context);
  REQUIRE(CONTAINS(context->streams, handle), CUDA_ERROR_INVALID_HANDLE,
          "%s: the stream was destroyed, or is another context's", __func__);
  const CUresult result = finish_stream(context, handle);
  drop_operations(handle);
  REMOVE(context->streams, handle);
  free(handle);
  return result;
}

CUresult cuStreamSynchronize(CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  return finish_stream(context, stream);
}

// While somebody asks, the device goes on by one operation, so that who asks for long enough sees
// the end.
CUresult cuStreamQuery(CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  if (!stream->first) return CUDA_SUCCESS;
  run_one(context, stream);
  return context->error ? context->error : CUDA_ERROR_NOT_READY;
}
