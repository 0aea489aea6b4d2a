// What went wrong: each refusal is noted in words, for the test and in the error's text.
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "state.h"

static const struct {
  CUresult code;
  const char *name, *text;
} ERRORS[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device"},
    {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {CUDA_ERROR_FILE_NOT_FOUND, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS",
     "an illegal memory access was encountered"},
    {CUDA_ERROR_LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT",
     "the launch timed out and was terminated"},
    {CUDA_ERROR_CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CUDA_ERROR_NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
};
enum { ERROR_COUNT = sizeof ERRORS / sizeof *ERRORS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char noted[1 << 16];
static struct {
  CUresult code;
  char text[9000];
} last;

CUresult mistake(CUresult code, const char *format, ...) {
  pthread_mutex_lock(&lock);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last.text, sizeof last.text, format, arguments);
  va_end(arguments);
  last.code = code;
  const size_t used = strlen(noted);
  snprintf(noted + used, sizeof noted - used, "%s\n", last.text);
  fprintf(stderr, "libcuda double: %s\n", last.text);
  pthread_mutex_unlock(&lock);
  return code;
}

void double_take_mistakes(char *into, size_t bytes) {
  pthread_mutex_lock(&lock);
  snprintf(into, bytes, "%s", noted);
  noted[0] = 0;
  pthread_mutex_unlock(&lock);
}

int double_unmodelled(const char *function) {
  return mistake(CUDA_ERROR_NOT_SUPPORTED, "%s is not modelled", function);
}

CUresult cuGetErrorName(CUresult code, const char **name) {
  for (int i = 0; i < ERROR_COUNT; i++)
    if (ERRORS[i].code == code) return *name = ERRORS[i].name, CUDA_SUCCESS;
  *name = NULL;
  return CUDA_ERROR_INVALID_VALUE;
}

// The driver's own words, and behind them what the double has to say.
CUresult cuGetErrorString(CUresult code, const char **text) {
  static __thread char whole[sizeof last.text + 100];
  for (int i = 0; i < ERROR_COUNT; i++) {
    if (ERRORS[i].code != code) continue;
    pthread_mutex_lock(&lock);
    const bool is_told = code != CUDA_SUCCESS && code == last.code;
    snprintf(whole, sizeof whole, is_told ? "%s: %s" : "%s", ERRORS[i].text, last.text);
    pthread_mutex_unlock(&lock);
    return *text = whole, CUDA_SUCCESS;
  }
  *text = NULL;
  return CUDA_ERROR_INVALID_VALUE;
}
