// How a struct reports its layout, so that Python needs no mirror of it.
//
//   DESCRIBE(Camera, FIELD(Camera, origin), FIELD(Camera, corner));
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "../scene_types.cuh"
#include "../textures/image.cuh"

struct Field {
  std::string name;
  char kind;            // numpy kind: 'f' float, 'u' unsigned (pointers too), 'i' signed, 'V' struct
  size_t element_size;  // bytes of one element
  size_t count;         // elements: 3 for Float3, 12 for Transform
  size_t offset;        // bytes from the start of the struct
  std::string structure;  // kind 'V': name of the layout that the element has
};

struct Layout {
  std::string name;
  size_t size, alignment;
  std::vector<Field> fields;
};

// The scalar that a field is made of.
template <class T>
struct element_of {
  using type = T;
};
template <>
struct element_of<Float3> {
  using type = float;
};
template <>
struct element_of<Float4> {
  using type = float;
};
template <>
struct element_of<Transform> {
  using type = float;
};

template <class T>
Field describe_field(const char* name, size_t offset) {
  using E = typename element_of<std::remove_all_extents_t<T>>::type;
  static_assert(std::is_arithmetic_v<E> || std::is_pointer_v<E> || std::is_enum_v<E>,
                "a field is made of numbers or is a pointer; give a nested struct as STRUCT_FIELD");
  const char kind = std::is_floating_point_v<E> ? 'f' : std::is_signed_v<E> ? 'i' : 'u';
  constexpr size_t element = sizeof(E);
  return {name, kind, element, sizeof(T) / element, offset, ""};
}

#define FIELD(Struct, member) describe_field<decltype(Struct::member)>(#member, offsetof(Struct, member))
#define STRUCT_FIELD(Struct, member, structure) \
  Field{#member, 'V', sizeof(Struct::member), 1, offsetof(Struct, member), structure}
#define DESCRIBE(Struct, name, ...) Layout{name, sizeof(Struct), alignof(Struct), {__VA_ARGS__}}
