// Steps that reckon with values.
#pragma once
#include "value.cuh"

struct Constant {
  Float4 value;
  DEVICE void apply(const TextureView&, ValueStack& stack) const { stack.push(value); }
};

struct Product {
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    const Float4 second = stack.pop();
    stack.top() = stack.top() * second;
  }
};

struct Affine {
  Float4 scale, offset;
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    stack.top() = stack.top() * scale + offset;
  }
};

struct Square {
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    stack.top() = stack.top() * stack.top();
  }
};

DEVICE Float4 bounded(Float4 v, float low, float high) {
  return {clamp(v.x, low, high), clamp(v.y, low, high), clamp(v.z, low, high),
          clamp(v.w, low, high)};
}

struct Bounded {
  float low, high;
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    stack.top() = bounded(stack.top(), low, high);
  }
};

// A colour as a number: the mean of red, green and blue.
struct Mean {
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    const Float4 v = stack.top();
    stack.top() = all_four((v.x + v.y + v.z) * (1.0f / 3.0f));
  }
};

struct Alpha {
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    stack.top() = all_four(stack.top().w);
  }
};

enum MixMode : uint32_t {
  MIX_BLEND,
  MIX_MIX,
  MIX_ADD,
  MIX_BOUNDED_ADD,
  MIX_MULTIPLY,
  MIX_BOUNDED_MULTIPLY,
  MIX_REPLACE_ALPHA,
};

// A layer of mental ray's mib_color_mix: of the values below, the layer and its weight, the result.
struct Mix {
  uint32_t mode;

  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    const float weight = stack.pop().x;
    const Float4 layer = stack.pop();
    stack.top() = mixed(stack.top(), layer, weight);
  }

 private:
  DEVICE Float4 mixed(Float4 below, Float4 layer, float weight) const {
    switch (mode) {
      case MIX_BLEND: return below * ((1.0f - layer.w) * weight) + layer * weight;
      case MIX_MIX: return mix(below, layer, weight);
      case MIX_ADD: return below + layer * weight;
      case MIX_BOUNDED_ADD: return bounded(below + layer * weight, 0.0f, 1.0f);
      case MIX_MULTIPLY: return below * layer * weight;
      case MIX_BOUNDED_MULTIPLY: return bounded(below * layer * weight, 0.0f, 1.0f);
      default: return {below.x, below.y, below.z, layer.w};
    }
  }
};

// The last steps of a surface: they set a parameter of its shader, by its place in floats.
struct SetColor {
  uint32_t place;
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    const Float4 v = stack.pop();
    stack.parameters[place] = v.x;
    stack.parameters[place + 1] = v.y;
    stack.parameters[place + 2] = v.z;
  }
};

struct SetNumber {
  uint32_t place;
  DEVICE void apply(const TextureView&, ValueStack& stack) const {
    stack.parameters[place] = stack.pop().x;
  }
};
