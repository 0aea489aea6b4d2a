#include "runs.h"

#include <cmath>
#include <limits>

#include "number.h"

namespace {

// Goes past one number of T, and the spaces before it; stays where it is if there is none.
bool read_one(Text& text, double& value) {
  const char* after = parse_number(text.at, text.end, value);
  if (after) text.at = after;
  return after;
}

bool read_one(Text& text, float& value) {
  double wide;
  if (!read_one(text, wide)) return false;
  value = narrowed(wide);
  return true;
}

bool read_one(Text& text, int32_t& value) {
  const char* after = parse_integer(text.at, text.end, value);
  if (after) text.at = after;
  return after;
}

uint32_t word_of(const char* bytes, bool big) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return big ? word : __builtin_bswap32(word);
#else
  return big ? __builtin_bswap32(word) : word;
#endif
}

float float_of(const char* bytes, bool big) {
  const uint32_t word = word_of(bytes, big);
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

size_t plausible(const char* bytes, size_t count, bool big) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    const float size = std::abs(float_of(bytes + 4 * i, big));
    found += size == 0.0f || (size > 1e-12f && size < 1e12f);
  }
  return found;
}

uint32_t largest(const char* bytes, size_t count, bool big) {
  uint32_t found = 0;
  for (size_t i = 0; i < count; i++) {
    const uint32_t value = word_of(bytes + 4 * i, big);
    found = found < value ? value : found;
  }
  return found;
}

}  // namespace

template <class T>
size_t read_numbers(Text& text, T* out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    text.tick();
    text.skip_space();
    if (!read_one(text, out[i])) return i;
  }
  return count;
}

template <class T>
void read_run(Text& text, Growing<T>& out) {
  for (T value;; out.push(value)) {
    text.tick();
    text.skip_space();
    if (!read_one(text, value)) return;
  }
}

template size_t read_numbers(Text&, float*, size_t);
template size_t read_numbers(Text&, double*, size_t);
template size_t read_numbers(Text&, int32_t*, size_t);
template void read_run(Text&, Growing<float>&);
template void read_run(Text&, Growing<int32_t>&);

void read_binary_vectors(Text& text, Growing<float>& out) {
  constexpr ptrdiff_t BYTES = 3 * sizeof(float);
  Growing<char> found;
  for (;;) {
    text.tick();
    text.skip_space();
    const char* const bytes = text.at + 1;
    if (text.head() != '`' || text.end - bytes <= BYTES || bytes[BYTES] != '`') break;
    for (ptrdiff_t i = 0; i < BYTES; i++) found.push(bytes[i]);
    text.at = bytes + BYTES + 1;
  }
  out.resize(found.size() / sizeof(float));
  take_floats(found.data(), out.data(), out.size());
}

void take_floats(const char* bytes, float* out, size_t count) {
  const size_t as_big = plausible(bytes, count, true);
  const bool big = as_big == count || as_big >= plausible(bytes, count, false);
  for (size_t i = 0; i < count; i++) out[i] = float_of(bytes + 4 * i, big);
}

void take_indices(const char* bytes, uint32_t* out, size_t count, uint32_t limit) {
  const bool big = largest(bytes, count, true) < limit || largest(bytes, count, false) >= limit;
  for (size_t i = 0; i < count; i++) out[i] = word_of(bytes + 4 * i, big);
}
