// From a scene to the arrays of an Accelerator (bvh/accelerator.cuh).
#pragma once
#include "../../bvh/accelerator.cuh"
#include "../../bvh/layout.cuh"
#include "aligned_vector.h"
#include "monitor.h"
#include "scene_view.h"

// To be raised with every change that gives a scene another accelerator: those on disk are named by it.
constexpr int BUILDER_VERSION = 3;

template <class Layout>
struct AcceleratorArrays {
  AlignedVector<typename Layout::Node> nodes;
  AlignedVector<typename Layout::Block> blocks;
  AlignedVector<Placement> placements;
  uint32_t root = leaf_word(0, 0);
};

// The result is the same for any number of threads. Throws std::invalid_argument where the scene
// cannot be used (check_scene) or holds more triangles than a tree can name, and what the monitor's
// report throws.
template <class Layout>
AcceleratorArrays<Layout> build_accelerator(const SceneView& scene, unsigned threads,
                                            Monitor& monitor);

extern template AcceleratorArrays<FloatLayout> build_accelerator(const SceneView&, unsigned,
                                                                 Monitor&);
extern template AcceleratorArrays<CompressedLayout> build_accelerator(const SceneView&, unsigned,
                                                                      Monitor&);
