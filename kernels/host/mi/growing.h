// An array that grows in place, for millions of elements whose number is not known before.
#pragma once
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

// realloc moves large blocks by their page tables and leaves the rest of them untouched: memory is
// used for what is written, which doubling by copies would use thrice.
template <class T>
class Growing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Growing() = default;
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;
  ~Growing() { std::free(data_); }

  void push(T value) {
    if (size_ == capacity_) reserve(capacity_ ? 2 * capacity_ : 1024);
    data_[size_++] = value;
  }
  // Drops the last elements, or adds some of any value.
  void resize(size_t size) {
    if (size > capacity_) reserve(size);
    size_ = size;
  }
  T* data() { return data_; }
  size_t size() const { return size_; }

  // Hands the elements over, to be freed with std::free.
  T* release() {
    reserve(size_ ? size_ : 1);
    return std::exchange(data_, nullptr);
  }

 private:
  void reserve(size_t capacity) {
    void* moved = std::realloc(data_, capacity * sizeof(T));
    if (!moved) throw std::bad_alloc();
    data_ = static_cast<T*>(moved);
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};
