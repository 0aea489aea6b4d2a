// A list of types that names every kind of something. A kind's place in it is its id.
#pragma once
#include "portability.cuh"

template <class... Kinds>
struct KindList;

// visit(): the visitor's answer for the kind of this id, with its data in its own type. An id beyond
// the list is answered with zeros.
template <>
struct KindList<> {
  static constexpr uint32_t COUNT = 0;

  template <class Answer, class Visitor>
  static DEVICE Answer visit(uint32_t, const void*, const Visitor&) {
    return Answer{};
  }
};

template <class First, class... Rest>
struct KindList<First, Rest...> {
  static constexpr uint32_t COUNT = 1 + KindList<Rest...>::COUNT;

  template <class Answer, class Visitor>
  static DEVICE Answer visit(uint32_t id, const void* data, const Visitor& visitor) {
    if (id == 0) return visitor(*static_cast<const First*>(data));
    return KindList<Rest...>::template visit<Answer>(id - 1, data, visitor);
  }
};
