// Runs of numbers.
#pragma once
#include <cstddef>
#include <cstdint>

#include "growing.h"
#include "text.h"

// Up to `count` numbers into `out`; returns how many there were before something else came.
template <class T>
size_t read_numbers(Text& text, T* out, size_t count);

// All numbers before something else comes.
template <class T>
void read_run(Text& text, Growing<T>& out);

// All vectors of `12 bytes` between back quotes, of one byte order.
void read_binary_vectors(Text& text, Growing<float>& out);

// 32-bit floats of a file that does not tell their byte order: big-endian, unless little-endian
// makes more of them look like coordinates.
void take_floats(const char* bytes, float* out, size_t count);

// 32-bit indices: big-endian, unless only little-endian keeps all of them below `limit`.
void take_indices(const char* bytes, uint32_t* out, size_t count, uint32_t limit);
