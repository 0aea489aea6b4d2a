// Scene text, and how far it has been read. What is not plain ends a run; the caller then reads on
// token by token, which tells what is wrong if anything is. So nothing here knows an error message.
#pragma once
#include <cstddef>
#include <cstring>
#include <functional>
#include <string_view>

// \s, \w and \d of Python's re.ASCII, with which the tokens are told apart.
inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
inline bool is_word(char c) { return is_letter(c) || is_digit(c); }

class Text {
 public:
  // Told the offset about every 4 MiB; what it throws ends the reading.
  using Report = std::function<void(size_t)>;

  Text(const char* begin, size_t size, size_t offset, Report report)
      : at(begin + (offset < size ? offset : size)), end(begin + size), begin_(begin),
        next_(at), report_(std::move(report)) {
    plan();
  }

  size_t offset() const { return static_cast<size_t>(at - begin_); }
  size_t offset_of(const char* place) const { return static_cast<size_t>(place - begin_); }
  bool is_over() const { return at == end; }
  char head() const { return at == end ? '\0' : *at; }

  // To be called for every number or row.
  void tick() {
    if (at < next_) return;
    report_(offset());
    plan();
  }

  // Goes past spaces and comments.
  void skip_space() {
    while (at != end) {
      if (is_space(*at)) {
        ++at;
      } else if (*at == '#') {
        const void* newline = std::memchr(at, '\n', static_cast<size_t>(end - at));
        at = newline ? static_cast<const char*>(newline) : end;
      } else {
        return;
      }
    }
  }

  // The keyword that starts here, not gone past; empty if none does.
  std::string_view word() const {
    const char* last = at;
    if (last != end && is_letter(*last))
      while (last != end && is_word(*last)) ++last;
    return {at, static_cast<size_t>(last - at)};
  }

  const char* at;
  const char* const end;

 private:
  static constexpr ptrdiff_t INTERVAL = 4 << 20;

  void plan() { next_ = end - at > INTERVAL ? at + INTERVAL : end; }

  const char* const begin_;
  const char* next_;
  const Report report_;
};
