// Launches: arguments and shape are checked when the host asks, memory when the kernel runs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

enum { STACK_BYTES = 1024 };

uint64_t launch_count;

static CUresult check_function(CUcontext context, const char *caller, CUfunction function) {
  for (CUmodule module = context->modules; module; module = module->next)
    if (CONTAINS(module->functions, function)) return CUDA_SUCCESS;
  return mistake(CUDA_ERROR_INVALID_HANDLE,
                 "%s: the kernel's module was unloaded, or is another context's", caller);
}

static uint32_t most_threads(const PtxKernel *kernel) {
  return kernel->max_threads ? kernel->max_threads : MAX_BLOCK_THREADS;
}

static CUresult check_shape(const CUfunction function, const Operation *o) {
  const PtxKernel *kernel = function->kernel;
  const uint32_t *grid = o->launch.grid, *block = o->launch.block;
  const uint64_t threads = (uint64_t)block[0] * block[1] * block[2];
  const uint64_t shared = (uint64_t)kernel->static_shared_bytes + o->launch.shared_bytes;
  REQUIRE(grid[0] && grid[1] && grid[2] && grid[0] <= INT32_MAX && grid[1] <= MAX_GRID_HEIGHT &&
              grid[2] <= MAX_GRID_HEIGHT,
          CUDA_ERROR_INVALID_VALUE, "%s: a grid of %u x %u x %u blocks", kernel->name, grid[0],
          grid[1], grid[2]);
  REQUIRE(threads && block[2] <= MAX_BLOCK_DEPTH && threads <= most_threads(kernel),
          CUDA_ERROR_INVALID_VALUE, "%s: a block of %u x %u x %u threads; it may have %u",
          kernel->name, block[0], block[1], block[2], most_threads(kernel));
  REQUIRE(shared <= function->shared_limit, CUDA_ERROR_INVALID_VALUE,
          "%s: %llu bytes of shared memory; it may use %u", kernel->name,
          (unsigned long long)shared, function->shared_limit);
  return CUDA_SUCCESS;
}

// The bytes of all arguments as the kernel has them: a copy, in one buffer or one by one.
static CUresult take_arguments(const PtxKernel *kernel, void **each, void **extra,
                               uint8_t **arguments) {
  const void *buffer = NULL;
  size_t bytes = 0;
  for (void **at = extra; at && *at != CU_LAUNCH_PARAM_END; at += 2) {
    if (*at == CU_LAUNCH_PARAM_BUFFER_POINTER) buffer = at[1];
    if (*at == CU_LAUNCH_PARAM_BUFFER_SIZE) bytes = *(size_t *)at[1];
  }
  REQUIRE(!extra || bytes == kernel->parameter_bytes, CUDA_ERROR_INVALID_VALUE,
          "%s: the arguments take %zu bytes, the kernel's parameters %u", kernel->name, bytes,
          kernel->parameter_bytes);
  REQUIRE(each || buffer || kernel->parameter_count == 0, CUDA_ERROR_INVALID_VALUE,
          "%s: no arguments for %u parameters", kernel->name, kernel->parameter_count);
  *arguments = aligned_alloc(64, (kernel->parameter_bytes + 127) / 64 * 64);
  if (buffer) memcpy(*arguments, buffer, kernel->parameter_bytes);
  for (uint32_t i = 0; each && i < kernel->parameter_count; i++)
    memcpy(*arguments + kernel->offsets[i], each[i], kernel->sizes[i]);
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                        CUstream handle, void **each, void **extra) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  RETURN_UNLESS_DONE(check_function(context, __func__, function));
  Operation operation = {.run = run_launch,
                         .launch = {.function = function,
                                    .grid = {grid_x, grid_y, grid_z},
                                    .block = {block_x, block_y, block_z},
                                    .shared_bytes = shared_bytes}};
  RETURN_UNLESS_DONE(check_shape(function, &operation));
  RETURN_UNLESS_DONE(
      take_arguments(function->kernel, each, extra, &operation.launch.arguments));
  launch_count++;
  return submit(context, stream, operation);
}

// What the driver calls the fault that ended a kernel.
static CUresult code_of(const char *message) {
  static const struct {
    const char *words;
    CUresult code;
  } FAULTS[] = {
      {"misaligned", CUDA_ERROR_MISALIGNED_ADDRESS},
      {"out of bounds", CUDA_ERROR_ILLEGAL_ADDRESS},
      {"to constant memory", CUDA_ERROR_ILLEGAL_ADDRESS},
      {"deadlock", CUDA_ERROR_LAUNCH_TIMEOUT},
  };
  for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++)
    if (strstr(message, FAULTS[i].words)) return FAULTS[i].code;
  return CUDA_ERROR_LAUNCH_FAILED;
}

CUresult run_launch(CUcontext context, const Operation *operation) {
  const CUfunction function = operation->launch.function;
  const PtxKernel *kernel = function->kernel;
  char message[8192] = "";
  Launch launch = {.shared_bytes = kernel->static_shared_bytes + operation->launch.shared_bytes,
                   .parameters = operation->launch.arguments,
                   .parameter_bytes = kernel->parameter_bytes,
                   .message = message,
                   .message_bytes = sizeof message};
  memcpy(launch.grid, operation->launch.grid, sizeof launch.grid);
  memcpy(launch.block, operation->launch.block, sizeof launch.block);
  Range *ranges = usable_ranges(context, &launch.range_count);
  launch.ranges = ranges;
  const int has_failed = function->module->launch(kernel, &launch);
  free(ranges);
  REQUIRE(!has_failed, code_of(message), "%s: %s", kernel->name, message);
  return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_function(context, __func__, function));
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      return *value = (int)most_threads(function->kernel), CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      return *value = (int)function->kernel->static_shared_bytes, CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      return *value = (int)(function->shared_limit - function->kernel->static_shared_bytes),
             CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:  // PTX does not tell what an assembler makes of it
      return *value = STACK_BYTES, CUDA_SUCCESS;
    default:
      return mistake(CUDA_ERROR_NOT_SUPPORTED, "attribute %d of a kernel is not modelled",
                     attribute);
  }
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_function(context, __func__, function));
  REQUIRE(attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, CUDA_ERROR_NOT_SUPPORTED,
          "attribute %d of a kernel is not modelled", attribute);
  const int limit = value + (int)function->kernel->static_shared_bytes;
  REQUIRE(value >= 0 && limit <= SHARED_BYTES_OPT_IN, CUDA_ERROR_INVALID_VALUE,
          "%s: %d bytes of shared memory", __func__, value);
  function->shared_limit = (uint32_t)(limit > SHARED_BYTES ? limit : SHARED_BYTES);
  return CUDA_SUCCESS;
}

// PyCUDA says so before each launch, which then says it again.
CUresult cuFuncSetBlockShape(CUfunction function, int x, int y, int z) {
  ENTER_CONTEXT(context);
  (void)x, (void)y, (void)z;
  return check_function(context, __func__, function);
}
