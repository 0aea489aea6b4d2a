// The same trees for vertices and instances that have moved: a fraction of the time of a build, and
// hits that are the same as those of a new one. The more a mesh changes its shape, the slower rays
// get; that is when to build anew.
#pragma once
#include "build_accelerator.h"

// arrays: of a scene with the same meshes, triangles and masks. Throws std::invalid_argument where
// they are not, or the scene cannot be used, and what the monitor's report throws; the arrays are of
// no use then.
template <class Layout>
void refit(AcceleratorArrays<Layout>& arrays, const SceneView& scene, unsigned threads,
           Monitor& monitor);

extern template void refit(AcceleratorArrays<FloatLayout>&, const SceneView&, unsigned, Monitor&);
extern template void refit(AcceleratorArrays<CompressedLayout>&, const SceneView&, unsigned,
                           Monitor&);
