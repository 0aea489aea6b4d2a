// What a builder tells the system of large blocks of memory.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

constexpr size_t LARGE_PAGE = size_t{1} << 21;

// That a block which begins on a large page is to be backed by such: a few hundred times fewer page
// faults, and traversal misses the translation buffer less. Does nothing where the system cannot.
inline void use_large_pages(void* begin, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  madvise(begin, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#else
  (void)begin;
  (void)bytes;
#endif
}

// That what whole pages between begin and end hold is of no use any more: it is lost, and their
// memory is given back. Does nothing where the system cannot.
inline void give_back(void* begin, void* end) {
#if defined(__linux__)
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page;
  const uintptr_t last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
#else
  (void)begin;
  (void)end;
#endif
}
