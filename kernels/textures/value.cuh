// What a texture is made of: steps that work on a stack of values, one after the other.
//
// Every step is a struct of operands with one function,
//
//   void apply(const TextureView&, ValueStack&) const;
#pragma once
#include "image.cuh"

// How a point is seen: its texture coordinates, and the width in them of what one sample stands for.
struct TextureView {
  ImageTable images;
  Float2 uv;
  float footprint;
};

// A texture of more depth is refused when a scene is packed.
constexpr uint32_t STACK_DEPTH = 8;

// A value is a colour with alpha, a number in all four, or a coordinate with its footprint as w.
struct ValueStack {
  Float4 values[STACK_DEPTH];
  uint32_t size;
  float* parameters;  // of the surface's shader, for the steps that set one

  DEVICE void push(Float4 value) { values[size++] = value; }
  DEVICE Float4 pop() { return values[--size]; }
  DEVICE Float4& top() { return values[size - 1]; }
};
