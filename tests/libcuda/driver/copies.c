// Copies and fills. What the driver may do later is left to a stream; the others first wait for it.
#include <string.h>

#include "state.h"

// FNV-1a, by Fowler, Noll and Vo.
static uint64_t checksum_of(const void *start, size_t bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 0; i < bytes; i++) sum = (sum ^ ((const uint8_t *)start)[i]) * 0x100000001b3;
  return sum;
}

// A GPU would copy what it finds, old or new, without a word.
static CUresult run_copy(CUcontext context, const Operation *operation) {
  (void)context;
  if (operation->copy.has_checksum &&
      checksum_of(operation->copy.from, operation->copy.bytes) != operation->copy.checksum)
    mistake(CUDA_SUCCESS, "page-locked memory was changed before it was copied to the device");
  memmove(operation->copy.to, operation->copy.from, operation->copy.bytes);
  return CUDA_SUCCESS;
}

static Operation copy(void *to, const void *from, size_t bytes, const void *host) {
  return (Operation){
      .run = run_copy, .host = host, .host_bytes = bytes, .copy = {to, from, bytes}};
}

// Of memory that is not page-locked the driver makes a copy that may or may not wait.
static CUresult check_host(CUcontext context, const char *function, const void *host, size_t bytes) {
  REQUIRE(bytes == 0 || is_page_locked(context, host, bytes), CUDA_ERROR_INVALID_VALUE,
          "%s: %zu bytes of the host are not page-locked, so that this need not be asynchronous",
          function, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoD(CUdeviceptr to, const void *from, size_t bytes) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_device(context, __func__, to, bytes));
  RETURN_UNLESS_DONE(submit(context, &context->default_stream, copy((void *)to, from, bytes, from)));
  return finish_stream(context, &context->default_stream);
}

CUresult cuMemcpyDtoH(void *to, CUdeviceptr from, size_t bytes) {
  ENTER_CONTEXT(context);
  RETURN_UNLESS_DONE(check_device(context, __func__, from, bytes));
  RETURN_UNLESS_DONE(
      submit(context, &context->default_stream, copy(to, (const void *)from, bytes, to)));
  return finish_stream(context, &context->default_stream);
}

CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  RETURN_UNLESS_DONE(check_device(context, __func__, to, bytes));
  RETURN_UNLESS_DONE(check_host(context, __func__, from, bytes));
  Operation operation = copy((void *)to, from, bytes, from);
  operation.copy.checksum = checksum_of(from, bytes), operation.copy.has_checksum = true;
  return submit(context, stream, operation);
}

CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  RETURN_UNLESS_DONE(check_device(context, __func__, from, bytes));
  RETURN_UNLESS_DONE(check_host(context, __func__, to, bytes));
  memset(to, UNWRITTEN, bytes);  // who reads before the copy is done finds anything
  return submit(context, stream, copy(to, (const void *)from, bytes, to));
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, __func__, handle, &stream));
  RETURN_UNLESS_DONE(check_device(context, __func__, from, bytes));
  RETURN_UNLESS_DONE(check_device(context, __func__, to, bytes));
  return submit(context, stream, copy((void *)to, (const void *)from, bytes, NULL));
}

CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return cuMemcpyDtoDAsync(to, from, bytes, NULL);
}

static CUresult run_fill(CUcontext context, const Operation *operation) {
  (void)context;
  uint8_t *at = operation->fill.to;
  for (size_t i = 0; i < operation->fill.count; i++, at += operation->fill.element_bytes)
    memcpy(at, &operation->fill.pattern, operation->fill.element_bytes);
  return CUDA_SUCCESS;
}

static CUresult fill(const char *function, CUdeviceptr to, uint32_t pattern, size_t element_bytes,
                     size_t count, CUstream handle) {
  ENTER_CONTEXT(context);
  CUstream stream;
  RETURN_UNLESS_DONE(find_stream(context, function, handle, &stream));
  REQUIRE(to % element_bytes == 0, CUDA_ERROR_INVALID_VALUE, "%s: %#llx is misaligned", function,
          (unsigned long long)to);
  RETURN_UNLESS_DONE(check_device(context, function, to, element_bytes * count));
  const Operation operation = {.run = run_fill,
                               .fill = {(void *)to, pattern, element_bytes, count}};
  return submit(context, stream, operation);
}

// The device's memory is filled in the order of its stream; the host does not wait.
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
  return fill(__func__, to, value, 1, count, stream);
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
  return fill(__func__, to, value, 2, count, stream);
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
  return fill(__func__, to, value, 4, count, stream);
}
CUresult cuMemsetD8(CUdeviceptr to, unsigned char value, size_t count) {
  return fill(__func__, to, value, 1, count, NULL);
}
CUresult cuMemsetD16(CUdeviceptr to, unsigned short value, size_t count) {
  return fill(__func__, to, value, 2, count, NULL);
}
CUresult cuMemsetD32(CUdeviceptr to, unsigned value, size_t count) {
  return fill(__func__, to, value, 4, count, NULL);
}
