// What the test double of libcuda knows. A handle is a pointer to one of these structs, and is looked
// up in the lists below before it is used: one that was destroyed, or is another context's, is refused.
#pragma once
#pragma GCC visibility push(default)
#include <cuda.h>
#include <cudaProfiler.h>
#pragma GCC visibility pop
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ptx_abi.h"

// Limits of every GPU that the kernels are made for (CUDA programming guide, compute capabilities).
enum {
  MAX_BLOCK_THREADS = 1024,
  MAX_BLOCK_DEPTH = 64,
  MAX_GRID_HEIGHT = 65535,
  SHARED_BYTES = 48 << 10,
  SHARED_BYTES_OPT_IN = 99 << 10,
};

// What memory holds that nobody has written yet.
enum { UNWRITTEN = 0xA5 };

// Memory of the device, or page-locked memory of the host. `block` is what was taken from the heap;
// none where the host's own memory was registered.
typedef struct Allocation Allocation;
struct Allocation {
  uint64_t start, size;
  bool is_on_host;
  void *block;
  Allocation *next;
};

// Something that a stream will do; `number` is its place in the order of submission.
typedef struct Operation Operation;
struct Operation {
  uint64_t number;
  CUresult (*run)(CUcontext, const Operation *);
  const void *host;  // memory of the host that it uses
  size_t host_bytes;
  union {
    struct {
      void *to;
      const void *from;
      size_t bytes;
      uint64_t checksum;  // of page-locked memory when the copy was asked for
      bool has_checksum;
    } copy;
    struct {
      void *to;
      uint32_t pattern;
      size_t element_bytes, count;
    } fill;
    struct {
      CUfunction function;
      uint32_t grid[3], block[3], shared_bytes;
      uint8_t *arguments;
    } launch;
    CUevent event;  // to be marked as come to
    struct {
      CUstream stream;
      uint64_t number;
    } wait;
  };
  Operation *next;
};

struct CUstream_st {
  bool waits_for_default;  // and the default stream for it: not CU_STREAM_NON_BLOCKING
  Operation *first, *last;
  CUstream next;
};

// `number` is that of the last record, `done` whether it has been come to.
struct CUevent_st {
  bool is_recorded, is_done, has_time;
  CUstream stream;
  uint64_t number;
  double milliseconds;
  CUevent next;
};

struct CUfunc_st {
  CUmodule module;
  const PtxKernel *kernel;
  uint32_t shared_limit;
  CUfunction next;
};

struct CUmod_st {
  void *library;
  int file;  // the library's own
  const PtxKernel *kernels;
  const PtxVariable *variables;
  int (*launch)(const PtxKernel *, const Launch *);
  CUfunction functions;
  CUmodule next;
};

struct CUctx_st {
  bool is_primary, is_alive;
  unsigned users;
  CUresult error;  // that of a kernel spoils the context for good
  Allocation *allocations;
  CUmodule modules;
  struct CUstream_st default_stream;
  CUstream streams;
  CUevent events;
  uint64_t submitted;
  CUcontext next;
};

#define PUSH(list, item) ((item)->next = (list), (list) = (item))
#define REMOVE(list, item)                                              \
  for (__typeof__(list) *at_ = &(list); *at_; at_ = &(*at_)->next)      \
    if (*at_ == (item)) {                                               \
      *at_ = (item)->next;                                              \
      break;                                                            \
    }
#define CONTAINS(list, item)                                            \
  ({                                                                    \
    bool found_ = false;                                                \
    for (__typeof__(list) at_ = (list); at_ && !found_; at_ = at_->next) \
      found_ = at_ == (item);                                           \
    found_;                                                             \
  })

// errors.c: notes what is wrong with a call; returns the code, for the caller to return.
CUresult mistake(CUresult code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// contexts.c: one call at a time; most need a context that still works.
int enter(void);
void leave(int *held);
#define ENTER __attribute__((cleanup(leave), unused)) int held_ = enter()
CUresult usable_context(const char *function, CUcontext *found);
#define ENTER_CONTEXT(context)                                        \
  ENTER;                                                              \
  CUcontext context;                                                  \
  const CUresult state_ = usable_context(__func__, &context);         \
  if (state_ != CUDA_SUCCESS) return state_
#define REQUIRE(condition, code, ...) \
  if (!(condition)) return mistake(code, __VA_ARGS__)
#define RETURN_UNLESS_DONE(call)                     \
  do {                                               \
    const CUresult done_ = (call);                   \
    if (done_ != CUDA_SUCCESS) return done_;         \
  } while (0)
extern CUcontext contexts;
void break_next_call(CUresult code);

// memory.c
extern uint64_t memory_total, memory_used;
CUresult check_device(CUcontext, const char *function, CUdeviceptr start, size_t bytes);
bool is_page_locked(CUcontext, const void *start, size_t bytes);
Range *usable_ranges(CUcontext, uint32_t *count);
void free_all_memory(CUcontext);

// streams.c
CUresult find_stream(CUcontext, const char *function, CUstream handle, CUstream *found);
CUresult submit(CUcontext, CUstream, Operation);
CUresult finish(CUcontext, CUstream, uint64_t last);
CUresult finish_stream(CUcontext, CUstream);
CUresult finish_context(CUcontext);
void run_one(CUcontext, CUstream);
bool is_stream_of(CUcontext, CUstream);
bool is_waited_for(CUcontext, const void *start, size_t bytes);
void forget_streams(CUcontext);
enum Schedule { LATE, EARLY, ANY };
void set_schedule(enum Schedule, uint32_t seed);

// modules.c, launches.c
void unload_modules(CUcontext);
CUresult run_launch(CUcontext, const Operation *);
extern uint64_t launch_count;
