#include "number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <system_error>

#include "text.h"

namespace {

// Powers of ten that a double holds exactly, and integers up to 2^53: one rounded operation on them
// is the nearest double. Clinger, "How to Read Floating Point Numbers Accurately" (1990).
constexpr double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int64_t LAST_POWER = 22;
constexpr uint64_t EXACT = uint64_t{1} << 53;
constexpr ptrdiff_t DIGITS_OF_64_BITS = 19;
// Exponents beyond stay there: no text is long enough to make up for it.
constexpr int64_t LARGEST_EXPONENT = int64_t{1} << 50;

// Digits from p on; `value` wraps round beyond 19 of them.
const char* parse_digits(const char* p, const char* end, uint64_t& value) {
  for (; p != end && is_digit(*p); ++p) value = value * 10 + static_cast<uint64_t>(*p - '0');
  return p;
}

const char* parse_exponent(const char* p, const char* end, int64_t& exponent) {
  if (p == end || (*p != 'e' && *p != 'E' && *p != 'd' && *p != 'D')) return p;
  const char* digits = p + 1;
  const bool negative = digits != end && *digits == '-';
  if (digits != end && (*digits == '-' || *digits == '+')) ++digits;
  if (digits == end || !is_digit(*digits)) return p;
  int64_t value = 0;
  for (p = digits; p != end && is_digit(*p); ++p)
    value = std::min(value * 10 + (*p - '0'), LARGEST_EXPONENT);
  exponent += negative ? -value : value;
  return p;
}

bool ends_number(const char* p, const char* end) { return p == end || !(is_word(*p) || *p == '.'); }

// Of any length; `leading` is the exponent of ten of the first digit that is written.
bool parse_slowly(const char* first, const char* last, int64_t leading, double& value) {
  if (*first == '+') ++first;
  std::string copy;
  const auto is_d = [](char c) { return c == 'd' || c == 'D'; };
  if (std::find_if(first, last, is_d) != last) {
    copy.assign(first, last);
    std::replace_if(copy.begin(), copy.end(), is_d, 'e');
    first = copy.data();
    last = first + copy.size();
  }
  const auto result = std::from_chars(first, last, value);
  if (result.ec == std::errc::result_out_of_range) {
    value = *first == '-' ? -0.0 : 0.0;  // where it is too small
    return leading < 0;
  }
  return result.ec == std::errc() && std::abs(value) <= std::numeric_limits<double>::max();
}

}  // namespace

const char* parse_number(const char* first, const char* end, double& value) {
  const char* p = first;
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  uint64_t mantissa = 0;
  const char* const whole = p;
  p = parse_digits(p, end, mantissa);
  const ptrdiff_t whole_digits = p - whole;
  int64_t exponent = 0;
  if (p != end && *p == '.') {
    const char* const fraction = p + 1;
    p = parse_digits(fraction, end, mantissa);
    exponent = fraction - p;
  }
  const ptrdiff_t digits = whole_digits - exponent;
  if (digits == 0) return nullptr;
  const int64_t fraction_digits = -exponent;
  p = parse_exponent(p, end, exponent);
  if (!ends_number(p, end)) return nullptr;
  if (digits <= DIGITS_OF_64_BITS && mantissa <= EXACT && std::abs(exponent) <= LAST_POWER) {
    const auto exact = static_cast<double>(mantissa);
    value = exponent < 0 ? exact / POWERS[-exponent] : exact * POWERS[exponent];
    if (negative) value = -value;
    return p;
  }
  return parse_slowly(first, p, exponent + fraction_digits + whole_digits, value) ? p : nullptr;
}

const char* parse_integer(const char* first, const char* end, int32_t& value) {
  const char* p = first;
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  const char* const digits = p;
  uint64_t size = 0;
  p = parse_digits(p, end, size);
  if (p == digits || p - digits > DIGITS_OF_64_BITS || !ends_number(p, end)) return nullptr;
  if (size > uint64_t{INT32_MAX} + negative) return nullptr;
  value = static_cast<int32_t>(negative ? -static_cast<int64_t>(size) : static_cast<int64_t>(size));
  return p;
}

float narrowed(double value) {
  constexpr double LARGEST = std::numeric_limits<float>::max();
  if (value > LARGEST) return std::numeric_limits<float>::infinity();
  if (value < -LARGEST) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
}
