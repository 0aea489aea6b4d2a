// Records in memory as a structure of arrays of words, whatever they are made of: neighbours in
// number are neighbours in memory word by word, as the threads of a warp read best. Words that the
// reader has no use for are not loaded: the compiler drops them.
#pragma once
#include "portability.cuh"

template <class T>
struct WordArray {
  static constexpr uint32_t WORDS = sizeof(T) / sizeof(uint32_t);
  static_assert(sizeof(T) % sizeof(uint32_t) == 0, "made of whole words");

  uint32_t* words;  // [WORDS, length]
  uint32_t length;

  DEVICE T operator[](uint32_t index) const {
    uint32_t found[WORDS];
    UNROLL for (uint32_t i = 0; i < WORDS; i++) found[i] = words[i * length + index];
    T value;
    memcpy(&value, found, sizeof(T));
    return value;
  }

  DEVICE void set(uint32_t index, const T& value) const {
    uint32_t stored[WORDS];
    memcpy(stored, &value, sizeof(T));
    UNROLL for (uint32_t i = 0; i < WORDS; i++) words[i * length + index] = stored[i];
  }

  // One member of a record.
  template <class Member>
  DEVICE void set(uint32_t index, Member T::*member, const Member& value) const {
    const T whole = {};
    const size_t before =
        reinterpret_cast<size_t>(&(whole.*member)) - reinterpret_cast<size_t>(&whole);
    const WordArray<Member> part = {words + before / sizeof(uint32_t) * length, length};
    part.set(index, value);
  }
};
