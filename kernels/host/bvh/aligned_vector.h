// A vector whose elements begin on a cache line, large ones on a large page. resize() leaves new elements of plain types as
// they are: what is about to be written is not cleared first.
#pragma once
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "pages.h"

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr size_t LARGE = 4 * LARGE_PAGE;
  static constexpr std::align_val_t alignment_of(size_t count) {
    return std::align_val_t{count * sizeof(T) >= LARGE ? LARGE_PAGE : 64};
  }

  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    void* p = ::operator new(bytes, alignment_of(count));
    if (bytes >= LARGE) use_large_pages(p, bytes);
    return static_cast<T*>(p);
  }
  void deallocate(T* p, size_t count) { ::operator delete(p, alignment_of(count)); }
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class... Arguments>
  void construct(U* p, Arguments&&... arguments) {
    ::new (static_cast<void*>(p)) U{std::forward<Arguments>(arguments)...};
  }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
  friend bool operator!=(const CacheLineAllocator&, const CacheLineAllocator&) { return false; }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;
