// Numpy arrays of records as C++ spans: checked for contiguity and record size, never copied.
#pragma once
#include <nanobind/nanobind.h>

#include <stdexcept>
#include <string>
#include <utility>

// Holds a Python buffer whose items are T. Throws std::invalid_argument, which Python sees as
// ValueError, when it is none.
template <class T>
class Records {
 public:
  Records(const char* name, nanobind::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_C_CONTIGUOUS) != 0) {
      PyErr_Clear();
      throw std::invalid_argument(std::string(name) + " must be a C-contiguous array");
    }
    const auto bytes = static_cast<size_t>(buffer_.len);
    // Rows of scalars, such as float32 [N, 3], are records too.
    if (row_bytes() != sizeof(T) ||
        reinterpret_cast<uintptr_t>(buffer_.buf) % alignof(T) != 0) {
      const std::string message = std::string(name) + " has records of " +
                                  std::to_string(row_bytes()) + " bytes; expected " +
                                  std::to_string(sizeof(T)) + ", aligned";
      PyBuffer_Release(&buffer_);
      throw std::invalid_argument(message);
    }
    size_ = bytes / sizeof(T);
  }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;
  ~Records() { PyBuffer_Release(&buffer_); }

  const T* data() const { return static_cast<const T*>(buffer_.buf); }
  size_t size() const { return size_; }

 private:
  // Bytes of one element of the first axis.
  size_t row_bytes() const {
    auto bytes = static_cast<size_t>(buffer_.itemsize);
    for (int axis = 1; axis < buffer_.ndim; axis++)
      bytes *= static_cast<size_t>(buffer_.shape[axis]);
    return bytes;
  }

  Py_buffer buffer_;
  size_t size_ = 0;
};
