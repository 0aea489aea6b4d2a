// Events: places in a stream's order that others can wait for.
#include <stdlib.h>
#include <time.h>

#include "state.h"

static double now_in_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static CUresult check_event(CUcontext context, const char *function, CUevent event) {
  REQUIRE(CONTAINS(context->events, event), CUDA_ERROR_INVALID_HANDLE,
          "%s: the event was destroyed, or is another context's", function);
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
  ENTER_CONTEXT(context);
  REQUIRE(!(flags & CU_EVENT_INTERPROCESS), CUDA_ERROR_NOT_SUPPORTED,
          "%s: events between processes are not modelled", __func__);
  *event = calloc(1, sizeof **event);
  (*event)->has_time = !(flags & CU_EVENT_DISABLE_TIMING);
  PUSH(context->events, *event);
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy(CUevent event) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_event(context, __func__, event));
  REMOVE(context->events, event);
  free(event);
  return CUDA_SUCCESS;
}

// An event that was destroyed, or recorded again meanwhile, does not learn of this.
static CUresult run_record(CUcontext context, const Operation *operation) {
  CUevent event = operation->event;
  if (CONTAINS(context->events, event) && event->number == operation->number)
    event->is_done = true, event->milliseconds = now_in_milliseconds();
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream handle) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_event(context, __func__, event));
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  event->is_recorded = true, event->is_done = false;
  event->stream = stream, event->number = context->submitted + 1;
  return submit(context, stream, (Operation){.run = run_record, .event = event});
}

CUresult cuEventSynchronize(CUevent event) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_event(context, __func__, event));
  if (!event->is_recorded || event->is_done) return CUDA_SUCCESS;
  return finish(context, event->stream, event->number);
}

// As cuStreamQuery, the device goes on while somebody asks.
CUresult cuEventQuery(CUevent event) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_event(context, __func__, event));
  if (!event->is_recorded || event->is_done) return CUDA_SUCCESS;
  run_one(context, event->stream);
  return context->error ? context->error : CUDA_ERROR_NOT_READY;
}

// A stream that is gone has done all that it was given.
static CUresult run_wait(CUcontext context, const Operation *operation) {
  if (!is_stream_of(context, operation->wait.stream)) return CUDA_SUCCESS;
  return finish(context, operation->wait.stream, operation->wait.number);
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags) {
  ENTER_CONTEXT(context);
  REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE, "%s: flags %u", __func__, flags);
  RETURN_UNLESS_DONE(check_event(context, __func__, event));
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  if (!event->is_recorded || event->is_done) return CUDA_SUCCESS;
  return submit(context, stream,
                (Operation){.run = run_wait, .wait = {event->stream, event->number}});
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_event(context, __func__, from));
  RETURN_UNLESS_DONE(check_event(context, __func__, to));
  REQUIRE(from->has_time && to->has_time && from->is_recorded && to->is_recorded,
          CUDA_ERROR_INVALID_HANDLE, "%s: an event keeps no time, or was never recorded", __func__);
  if (!from->is_done || !to->is_done) return CUDA_ERROR_NOT_READY;
  *milliseconds = (float)(to->milliseconds - from->milliseconds);
  return CUDA_SUCCESS;
}
