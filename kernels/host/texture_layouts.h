// The operands of every step of a texture, under the step's public name.
#pragma once
#include "../textures/steps.cuh"
#include "describe.h"
#include "kind_layouts.h"

template <class Step>
Layout without_operands(const char* name) {
  return {name, sizeof(Step), alignof(Step), {}};
}

inline Layout layout_of(const SurfaceCoordinates*) {
  return without_operands<SurfaceCoordinates>("surface_coordinates");
}
inline Layout layout_of(const Remap*) {
  return DESCRIBE(Remap, "remap", FIELD(Remap, transform), FIELD(Remap, repeat), FIELD(Remap, low),
                  FIELD(Remap, extent), FIELD(Remap, alternate), FIELD(Remap, torus),
                  FIELD(Remap, stretch));
}
inline Layout layout_of(const ImageLookup*) {
  return DESCRIBE(ImageLookup, "image_lookup", FIELD(ImageLookup, image), FIELD(ImageLookup, edge_x),
                  FIELD(ImageLookup, edge_y));
}
inline Layout layout_of(const Checkerboard*) {
  return DESCRIBE(Checkerboard, "checkerboard", FIELD(Checkerboard, size),
                  FIELD(Checkerboard, colors));
}
inline Layout layout_of(const Constant*) {
  return DESCRIBE(Constant, "constant", FIELD(Constant, value));
}
inline Layout layout_of(const Product*) { return without_operands<Product>("product"); }
inline Layout layout_of(const Affine*) {
  return DESCRIBE(Affine, "affine", FIELD(Affine, scale), FIELD(Affine, offset));
}
inline Layout layout_of(const Square*) { return without_operands<Square>("square"); }
inline Layout layout_of(const Bounded*) {
  return DESCRIBE(Bounded, "bounded", FIELD(Bounded, low), FIELD(Bounded, high));
}
inline Layout layout_of(const Mean*) { return without_operands<Mean>("mean"); }
inline Layout layout_of(const Alpha*) { return without_operands<Alpha>("alpha"); }
inline Layout layout_of(const Mix*) { return DESCRIBE(Mix, "mix", FIELD(Mix, mode)); }
inline Layout layout_of(const SetColor*) {
  return DESCRIBE(SetColor, "set_color", FIELD(SetColor, place));
}
inline Layout layout_of(const SetNumber*) {
  return DESCRIBE(SetNumber, "set_number", FIELD(SetNumber, place));
}

// Every step's operands, and before them TextureSteps: a byte for each step, in the order of ids.
inline std::vector<Layout> texture_layouts() {
  const std::vector<Layout> steps = layouts_of(static_cast<const TextureSteps*>(nullptr));
  std::vector<Layout> all = {{"TextureSteps", steps.size(), 1, {}}};
  for (const Layout& step : steps) {
    all[0].fields.push_back({step.name, 'u', 1, 1, all[0].fields.size(), ""});
    all.push_back(step);
  }
  return all;
}
