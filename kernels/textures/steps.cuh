// The one list of steps that textures are made of, and running them.
#pragma once
#include "../kind_list.cuh"
#include "arithmetic.cuh"
#include "checkerboard.cuh"
#include "image_lookup.cuh"

// A step's place in it is its id in TextureStep::kind.
using TextureSteps =
    KindList<SurfaceCoordinates, Remap, ImageLookup, Checkerboard, Constant, Product, Affine,
             Square, Bounded, Mean, Alpha, Mix, SetColor, SetNumber>;

constexpr uint32_t NO_MORE_STEPS = 0xffffffffu;

struct TextureStep {
  uint32_t kind;      // NO_MORE_STEPS behind the last of a texture
  uint32_t operands;  // byte offset in the scene's parameters
};

DEVICE void run_steps(const TextureStep* step, const uint8_t* operands, const TextureView& at,
                      ValueStack& stack) {
  for (; step->kind != NO_MORE_STEPS; step++)
    TextureSteps::visit<bool>(step->kind, operands + step->operands, [&](const auto& kind) {
      kind.apply(at, stack);
      return true;
    });
}
