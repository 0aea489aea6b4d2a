// Which trees a scene takes, and the references that they are built over.
#pragma once
#include "aligned_vector.h"
#include "monitor.h"
#include "placed_triangles.h"
#include "split.h"

// Instances whose rays go down one tree.
struct TreeUse {
  uint32_t tree;
  uint32_t instance;  // NO_INSTANCE where the tree is in world space
  uint32_t mask;
};

struct TreePlan {
  std::vector<TreeSource> sources;  // one for each tree
  std::vector<TreeUse> uses;        // one for each placement
};

// Meshes used once share a tree in world space with those of the same mask; a repeated mesh, and one
// that moves, has one of its own.
TreePlan plan_trees(const SceneView& scene);

// Of all trees.
uint64_t triangle_count(const SceneView& scene, const TreePlan& plan);

struct TreeReferences {
  AlignedVector<Reference> all;
  std::vector<ReferenceSet> sets;  // one for each tree
};

// Advances the monitor by one for each triangle. Throws std::invalid_argument where there are more
// than can be numbered, or one is too far away.
TreeReferences references_of(const SceneView& scene, const TreePlan& plan, unsigned threads,
                             Monitor& monitor);
