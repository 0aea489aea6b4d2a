// Contexts: each has its memory, modules, streams and events; each thread a stack of current ones.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

CUcontext contexts;
static struct CUctx_st primary = {.is_primary = true};
static bool is_initialized;
static CUresult next_error;

enum { MAX_DEPTH = 64 };
static __thread CUcontext stack[MAX_DEPTH];
static __thread int depth;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int enter(void) { return pthread_mutex_lock(&lock); }
void leave(int *held) { *held = pthread_mutex_unlock(&lock); }

void break_next_call(CUresult code) { next_error = code; }

static CUcontext current(void) { return depth ? stack[depth - 1] : NULL; }

CUresult usable_context(const char *function, CUcontext *found) {
  REQUIRE(is_initialized, CUDA_ERROR_NOT_INITIALIZED, "%s before cuInit", function);
  CUcontext context = *found = current();
  REQUIRE(context, CUDA_ERROR_INVALID_CONTEXT, "%s without a current context", function);
  REQUIRE(context->is_alive, CUDA_ERROR_CONTEXT_IS_DESTROYED, "%s in a destroyed context",
          function);
  if (next_error && !context->error) context->error = next_error, next_error = CUDA_SUCCESS;
  return context->error;
}

static void begin_context(CUcontext context) {
  context->is_alive = true, context->users = 1, context->error = CUDA_SUCCESS;
  context->default_stream.waits_for_default = true;
  PUSH(contexts, context);
}

// What is still to be done is dropped, as the driver does. Memory that is left is a leak.
static void end_context(CUcontext context) {
  uint64_t count = 0, bytes = 0;
  for (Allocation *a = context->allocations; a; a = a->next) count++, bytes += a->size;
  if (count && !context->error)
    mistake(CUDA_SUCCESS, "a context ends with %llu allocations of %llu bytes that nobody freed",
            (unsigned long long)count, (unsigned long long)bytes);
  forget_streams(context);
  unload_modules(context);
  free_all_memory(context);
  context->is_alive = false;
  REMOVE(contexts, context);
}

static CUresult push(CUcontext context) {
  REQUIRE(depth < MAX_DEPTH, CUDA_ERROR_INVALID_VALUE, "%d contexts are current already", depth);
  stack[depth++] = context;
  return CUDA_SUCCESS;
}

CUresult cuInit(unsigned flags) {
  ENTER;
  REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE, "cuInit takes 0");
  is_initialized = true;
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate(CUcontext *context, CUctxCreateParams *params, unsigned flags, CUdevice dev) {
  ENTER;
  (void)flags;
  REQUIRE(is_initialized, CUDA_ERROR_NOT_INITIALIZED, "%s before cuInit", __func__);
  REQUIRE(dev == 0 && !params, CUDA_ERROR_INVALID_VALUE, "%s: device 0, no parameters", __func__);
  begin_context(*context = calloc(1, sizeof **context));
  return push(*context);
}

// Contexts that are gone stay in memory, so that their use is noticed.
CUresult cuCtxDestroy(CUcontext context) {
  ENTER;
  REQUIRE(CONTAINS(contexts, context) && !context->is_primary, CUDA_ERROR_INVALID_CONTEXT,
          "%s: no such context, or it is the primary one", __func__);
  end_context(context);
  if (current() == context) depth--;
  return CUDA_SUCCESS;
}

CUresult cuCtxAttach(CUcontext *context, unsigned flags) {
  ENTER_CONTEXT(current);
  REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE, "%s takes 0", __func__);
  current->users++;
  *context = current;
  return CUDA_SUCCESS;
}

CUresult cuCtxDetach(CUcontext context) {
  {
    ENTER;
    REQUIRE(CONTAINS(contexts, context), CUDA_ERROR_INVALID_CONTEXT, "%s: no such context",
            __func__);
    if (--context->users) return CUDA_SUCCESS;
  }
  return cuCtxDestroy(context);
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice dev) {
  ENTER;
  REQUIRE(is_initialized, CUDA_ERROR_NOT_INITIALIZED, "%s before cuInit", __func__);
  REQUIRE(dev == 0, CUDA_ERROR_INVALID_DEVICE, "%s: there is device 0 alone", __func__);
  if (primary.is_alive)
    primary.users++;
  else
    begin_context(&primary);
  *context = &primary;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice dev) {
  ENTER;
  REQUIRE(dev == 0 && primary.is_alive, CUDA_ERROR_INVALID_CONTEXT,
          "%s: the primary context is not retained", __func__);
  if (--primary.users == 0) end_context(&primary);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxGetState(CUdevice dev, unsigned *flags, int *is_active) {
  ENTER;
  REQUIRE(dev == 0, CUDA_ERROR_INVALID_DEVICE, "%s: there is device 0 alone", __func__);
  *flags = 0, *is_active = primary.is_alive;
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent(CUcontext context) {
  ENTER;
  REQUIRE(CONTAINS(contexts, context), CUDA_ERROR_INVALID_CONTEXT, "%s: no such context", __func__);
  return push(context);
}

CUresult cuCtxPopCurrent(CUcontext *context) {
  ENTER;
  REQUIRE(depth, CUDA_ERROR_INVALID_CONTEXT, "%s: none is current", __func__);
  depth--;
  if (context) *context = stack[depth];
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  ENTER;
  REQUIRE(!context || CONTAINS(contexts, context), CUDA_ERROR_INVALID_CONTEXT,
          "%s: no such context", __func__);
  if (depth) depth--;
  return context ? push(context) : CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
  ENTER;
  *context = current();
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *dev) {
  ENTER_CONTEXT(context);
  *dev = 0;
  return CUDA_SUCCESS;
}

CUresult cuCtxGetApiVersion(CUcontext context, unsigned *version) {
  ENTER;
  (void)context;
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize(void) {
  ENTER_CONTEXT(context);
  return finish_context(context);
}
