// One visit of each kind as a function of its own, for operations.py to read what it is made of.
#include "bvh/node_compressed.cuh"
#include "bvh/node_float.cuh"
#include "bvh/triangle_block.cuh"

extern "C" {
uint32_t node_float8(const FloatNode& node, const BoxRay& ray, float t_max, Lanes<8>& entry) {
  return hit_children(node, ray, t_max, entry);
}
void node_compressed8(const CompressedNode& node, const BoxRay& ray, float t_max,
                      CompressedHits& hits) {
  hits = hit_children(node, ray, t_max);
}
void block_float8(const TriangleBlock<4>& block, const TriangleRay& ray, float entry, float t_max,
                  BlockHits<4>& hits) {
  hits = hit_triangles(block, ray, entry, t_max);
}
void block_compressed8(const TriangleBlock<1>& block, const TriangleRay& ray, float entry,
                       float t_max, BlockHits<1>& hits) {
  hits = hit_triangles(block, ray, entry, t_max);
}
}
