// What Embree's builder makes of boxes, reckoned as tree_cost.py reckons our trees. Embree does not
// show the trees of its scenes, but its public rtcBuildBVH is the same builder, and tells of each
// node as it is made; given what its scenes give it, eight children and blocks of four triangles, it
// makes the same tree.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

extern "C" {
typedef struct RTCDeviceTy* RTCDevice;
typedef struct RTCBVHTy* RTCBVH;
typedef struct RTCThreadLocalAllocatorTy* RTCThreadLocalAllocator;
struct alignas(32) RTCBuildPrimitive {
  float low[3];
  unsigned geomID;
  float high[3];
  unsigned primID;
};
struct alignas(16) RTCBounds {
  float low[3], align0, high[3], align1;
};
struct RTCBuildArguments {
  size_t byteSize;
  int buildQuality, buildFlags;
  unsigned maxBranchingFactor, maxDepth, sahBlockSize, minLeafSize, maxLeafSize;
  float traversalCost, intersectionCost;
  RTCBVH bvh;
  RTCBuildPrimitive* primitives;
  size_t primitiveCount, primitiveArrayCapacity;
  void* (*createNode)(RTCThreadLocalAllocator, unsigned children, void* user);
  void (*setNodeChildren)(void* node, void** child, unsigned children, void* user);
  void (*setNodeBounds)(void* node, const RTCBounds** bounds, unsigned children, void* user);
  void* (*createLeaf)(RTCThreadLocalAllocator, const RTCBuildPrimitive*, size_t count, void* user);
  void* splitPrimitive;
  void* buildProgress;
  void* userPtr;
};
RTCDevice rtcNewDevice(const char* config);
void rtcReleaseDevice(RTCDevice device);
RTCBVH rtcNewBVH(RTCDevice device);
void rtcReleaseBVH(RTCBVH bvh);
void* rtcBuildBVH(const RTCBuildArguments* arguments);
void* rtcThreadLocalAlloc(RTCThreadLocalAllocator allocator, size_t bytes, size_t align);
}

namespace {

constexpr int MEDIUM = 1;           // RTC_BUILD_QUALITY_MEDIUM
constexpr size_t BLOCK = 4;         // triangles
constexpr unsigned MAX_BLOCKS = 7;  // of a leaf of Embree's scenes

struct Node {
  size_t blocks = 0;  // of a leaf
  double area[8] = {};
  Node* child[8] = {};
  unsigned children = 0;
};

double area_of(const RTCBounds& b) {
  const double x = b.high[0] - b.low[0], y = b.high[1] - b.low[1], z = b.high[2] - b.low[2];
  return x * y + y * z + z * x;
}

void* new_node(RTCThreadLocalAllocator allocator) {
  return new (rtcThreadLocalAlloc(allocator, sizeof(Node), alignof(Node))) Node;
}

void* create_node(RTCThreadLocalAllocator allocator, unsigned, void*) { return new_node(allocator); }

void* create_leaf(RTCThreadLocalAllocator allocator, const RTCBuildPrimitive*, size_t count, void*) {
  void* leaf = new_node(allocator);
  static_cast<Node*>(leaf)->blocks = (count + BLOCK - 1) / BLOCK;
  return leaf;
}

void set_children(void* node, void** child, unsigned children, void*) {
  auto* own = static_cast<Node*>(node);
  own->children = children;
  for (unsigned i = 0; i < children; i++) own->child[i] = static_cast<Node*>(child[i]);
}

void set_bounds(void* node, const RTCBounds** bounds, unsigned children, void*) {
  for (unsigned i = 0; i < children; i++) static_cast<Node*>(node)->area[i] = area_of(*bounds[i]);
}

// Of the area of each node one, of that of each leaf its blocks.
double weighted_area(const Node* node, double area) {
  double sum = node->children ? area : area * static_cast<double>(node->blocks);
  for (unsigned i = 0; i < node->children; i++)
    sum += weighted_area(node->child[i], node->area[i]);
  return sum;
}

}  // namespace

// boxes: low and high corners of each primitive, six floats. Nodes and blocks that a ray through the
// box of all is expected to visit; negative where Embree builds nothing.
extern "C" double embree_tree_cost(const float* boxes, size_t count) {
  std::vector<RTCBuildPrimitive> primitives(count);
  RTCBounds all = {{1e30f, 1e30f, 1e30f}, 0, {-1e30f, -1e30f, -1e30f}, 0};
  for (size_t i = 0; i < count; i++) {
    primitives[i].geomID = 0;
    primitives[i].primID = static_cast<unsigned>(i);
    for (int a = 0; a < 3; a++) {
      primitives[i].low[a] = boxes[6 * i + a];
      primitives[i].high[a] = boxes[6 * i + 3 + a];
      all.low[a] = std::min(all.low[a], primitives[i].low[a]);
      all.high[a] = std::max(all.high[a], primitives[i].high[a]);
    }
  }
  const RTCDevice device = rtcNewDevice("threads=1");
  RTCBuildArguments arguments = {};
  arguments.byteSize = sizeof(arguments);
  arguments.buildQuality = MEDIUM;
  arguments.maxBranchingFactor = 8;
  arguments.maxDepth = 32;
  arguments.sahBlockSize = arguments.minLeafSize = BLOCK;
  arguments.maxLeafSize = MAX_BLOCKS * BLOCK;
  arguments.traversalCost = arguments.intersectionCost = 1.0f;
  arguments.bvh = rtcNewBVH(device);
  arguments.primitives = primitives.data();
  arguments.primitiveCount = arguments.primitiveArrayCapacity = count;
  arguments.createNode = create_node;
  arguments.setNodeChildren = set_children;
  arguments.setNodeBounds = set_bounds;
  arguments.createLeaf = create_leaf;
  const auto* root = static_cast<const Node*>(rtcBuildBVH(&arguments));
  const double cost = root ? weighted_area(root, area_of(all)) / area_of(all) : -1.0;
  rtcReleaseBVH(arguments.bvh);
  rtcReleaseDevice(device);
  return cost;
}
