// Modules: PTX that the runner of tests/ptx translates to a library, which is loaded here.
#define _GNU_SOURCE  // memfd_create
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state.h"

static int memory_file(const void *content, size_t bytes) {
  const int file = memfd_create("module", 0);
  const ssize_t written = file < 0 ? -1 : write(file, content, bytes);
  return written == (ssize_t)bytes ? file : -1;
}

// The shell command of this variable reads PTX and prints the path of a library.
static bool translate(const char *ptx, char *path, size_t path_bytes) {
  const char *translator = getenv("LIBCUDA_DOUBLE_TRANSLATOR");
  const int file = memory_file(ptx, strlen(ptx));
  if (!translator || file < 0) return false;
  char command[4096];
  snprintf(command, sizeof command, "unset LD_LIBRARY_PATH; %s < /proc/%d/fd/%d", translator,
           getpid(), file);
  FILE *output = popen(command, "r");
  const bool has_line = output && fgets(path, (int)path_bytes, output);
  const bool is_done = output && pclose(output) == 0;
  close(file);
  path[strcspn(path, "\n")] = 0;
  return has_line && is_done;
}

// Each module has variables of its own: a library that is a file of its own is loaded anew. The
// file stays open as long, since the loader takes one of the same name for the same library.
static void *load_copy(const char *path, int *copy) {
  FILE *library = fopen(path, "rb");
  if (!library) return NULL;
  fseek(library, 0, SEEK_END);
  const size_t bytes = (size_t)ftell(library);
  void *content = malloc(bytes);
  rewind(library);
  *copy = fread(content, 1, bytes, library) == bytes ? memory_file(content, bytes) : -1;
  fclose(library), free(content);
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", *copy);
  return *copy < 0 ? NULL : dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  ENTER_CONTEXT(context);
  static const char CUBIN[] = "\177ELF", FATBIN[] = "\x50\xed\x55\xba";
  REQUIRE(memcmp(image, CUBIN, 4) && memcmp(image, FATBIN, 4), CUDA_ERROR_NO_BINARY_FOR_GPU,
          "%s: machine code, of a cubin or fatbin; only the text of PTX can be run", __func__);
  char path[4096] = "";
  REQUIRE(translate(image, path, sizeof path), CUDA_ERROR_INVALID_PTX,
          "%s: this is no PTX that can be run (the reason is above)", __func__);
  int copy = -1;
  void *library = load_copy(path, &copy);
  REQUIRE(library, CUDA_ERROR_INVALID_PTX, "%s: %s: %s", __func__, path, dlerror());
  CUmodule loaded = calloc(1, sizeof *loaded);
  loaded->library = library;
  loaded->file = copy;
  loaded->kernels = dlsym(library, "ptx_kernels");
  loaded->variables = dlsym(library, "ptx_variables");
  *(void **)&loaded->launch = dlsym(library, "ptx_launch");
  PUSH(context->modules, loaded);
  *module = loaded;
  return CUDA_SUCCESS;
}

// Options are for the compiler of the real driver.
CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count,
                            CUjit_option *options, void **values) {
  (void)count, (void)options, (void)values;
  return cuModuleLoadData(module, image);
}

CUresult cuModuleLoad(CUmodule *module, const char *name) {
  FILE *file = fopen(name, "rb");
  REQUIRE(file, CUDA_ERROR_FILE_NOT_FOUND, "%s: no file %s", __func__, name);
  fseek(file, 0, SEEK_END);
  const size_t bytes = (size_t)ftell(file);
  char *image = calloc(1, bytes + 5);  // ends as a text does, and is never too short to look at
  rewind(file);
  const bool is_read = fread(image, 1, bytes, file) == bytes;
  fclose(file);
  const CUresult result = is_read ? cuModuleLoadData(module, image) : CUDA_ERROR_FILE_NOT_FOUND;
  free(image);
  return result;
}

static void unload(CUcontext context, CUmodule module) {
  REMOVE(context->modules, module);
  while (module->functions) {
    CUfunction function = module->functions;
    REMOVE(module->functions, function);
    free(function);
  }
  dlclose(module->library);
  close(module->file);
  free(module);
}

void unload_modules(CUcontext context) {
  while (context->modules) unload(context, context->modules);
}

CUresult cuModuleUnload(CUmodule module) {
  ENTER_CONTEXT(context);
  REQUIRE(CONTAINS(context->modules, module), CUDA_ERROR_INVALID_HANDLE,
          "%s: the module was unloaded, or is another context's", __func__);
  const CUresult finished = finish_context(context);
  unload(context, module);
  return finished;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  ENTER_CONTEXT(context);
  REQUIRE(CONTAINS(context->modules, module), CUDA_ERROR_INVALID_HANDLE,
          "%s: the module was unloaded, or is another context's", __func__);
  const PtxKernel *kernel = module->kernels;
  while (kernel->name && strcmp(kernel->name, name)) kernel++;
  REQUIRE(kernel->name, CUDA_ERROR_NOT_FOUND, "%s: the module has no kernel '%s'", __func__, name);
  *function = calloc(1, sizeof **function);
  **function = (struct CUfunc_st){module, kernel, SHARED_BYTES, NULL};
  PUSH(module->functions, *function);
  return CUDA_SUCCESS;
}

CUresult cuModuleGetGlobal(CUdeviceptr *start, size_t *bytes, CUmodule module, const char *name) {
  ENTER_CONTEXT(context);
  REQUIRE(CONTAINS(context->modules, module), CUDA_ERROR_INVALID_HANDLE,
          "%s: the module was unloaded, or is another context's", __func__);
  const PtxVariable *variable = module->variables;
  while (variable->name && strcmp(variable->name, name)) variable++;
  REQUIRE(variable->name, CUDA_ERROR_NOT_FOUND, "%s: the module has no variable '%s'", __func__,
          name);
  if (start) *start = (CUdeviceptr)variable->address;
  if (bytes) *bytes = variable->size;
  return CUDA_SUCCESS;
}
