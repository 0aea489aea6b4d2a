#include "binary_tree.h"

#include <algorithm>
#include <future>

#include "../../bvh/tree_depth.cuh"

namespace {

constexpr int BINS = 16;
// Below this a thread costs more than it saves.
constexpr uint32_t PARALLEL_COUNT = 8192;

struct Range {
  uint32_t first, count;
  uint32_t end() const { return first + count; }
};

// References sorted by the place of their centre along one axis.
struct Bin {
  Box box;
  uint32_t count = 0;

  void include(const Bin& other) {
    box.include(other.box);
    count += other.count;
  }
};

struct Binning {
  Float4 origin, scale;

  explicit Binning(const Box& centres) : origin(centres.low), scale{} {
    const Float4 extent = centres.high - centres.low;
    for (int a = 0; a < 3; a++)
      scale[a] = extent[a] > 0.0f ? std::min(BINS * 0.9999f / extent[a], FLT_MAX) : 0.0f;
  }
  Float4 places(const Reference& r) const { return (r.box.centre_twice() - origin) * scale; }
};

// References whose bin along axis is at most last go left.
struct Split {
  int axis = -1;
  int last = 0;
  float cost = FLT_MAX;
};

void consider_axis(const Bin* bins, int axis, Split& best) {
  float right_cost[BINS];
  Bin right;
  for (int b = BINS - 1; b > 0; b--) {
    right.include(bins[b]);
    right_cost[b] = right.box.area() * static_cast<float>(right.count);
  }
  Bin left;
  const uint32_t total = right.count + bins[0].count;
  for (int b = 0; b < BINS - 1; b++) {
    left.include(bins[b]);
    if (left.count == 0 || left.count == total) continue;
    const float cost = left.box.area() * static_cast<float>(left.count) + right_cost[b + 1];
    if (cost < best.cost) best = {axis, b, cost};
  }
}

Split best_split(const Reference* references, Range range, const Binning& binning) {
  Bin bins[3][BINS];
  for (uint32_t i = range.first; i < range.end(); i++) {
    const Float4 places = binning.places(references[i]);
    for (int a = 0; a < 3; a++) {
      Bin& bin = bins[a][static_cast<int>(places[a])];
      bin.box.include(references[i].box);
      bin.count++;
    }
  }
  Split best;
  for (int a = 0; a < 3; a++)
    if (binning.scale[a] > 0.0f) consider_axis(bins[a], a, best);
  return best;
}

// Levels that halving needs to reach single references.
int levels_of(uint32_t count) {
  int levels = 0;
  while ((uint64_t{1} << levels) < count) levels++;
  return levels;
}

class Builder {
 public:
  explicit Builder(BinaryTree& tree) : nodes_(tree.nodes.data()), refs_(tree.references.data()) {}

  // depth: nodes above this one.
  void build(uint32_t node, Range range, int depth, int threads) {
    Box box, centres;
    for (uint32_t i = range.first; i < range.end(); i++) {
      box.include(refs_[i].box);
      centres.include(refs_[i].box.centre_twice());
    }
    nodes_[node] = {box, range.first, range.count};
    if (range.count == 1) return;
    const uint32_t left_count = divide(range, centres, MAX_DEPTH - 1 - depth);
    const Range left = {range.first, left_count};
    const Range right = {range.first + left_count, range.count - left_count};
    const auto build_right = [&](int share) {
      build(node + 2 * left_count, right, depth + 1, share);
    };
    if (threads > 1 && range.count > PARALLEL_COUNT) {
      const auto other = std::async(std::launch::async, build_right, threads / 2);
      build(node + 1, left, depth + 1, threads - threads / 2);
    } else {
      build(node + 1, left, depth + 1, 1);
      build_right(1);
    }
  }

 private:
  // Reorders the range and says how many go left. A split by surface area is taken only if both
  // parts can be finished in the remaining levels by halving; the median always can.
  uint32_t divide(Range range, const Box& centres, int levels_left) {
    const Binning binning(centres);
    const Split split = best_split(refs_, range, binning);
    if (split.axis >= 0) {
      const uint32_t left = partition(range, binning, split);
      if (levels_of(std::max(left, range.count - left)) < levels_left) return left;
    }
    return halve(range, centres);
  }

  uint32_t partition(Range range, const Binning& binning, const Split& split) {
    const auto goes_left = [&](const Reference& r) {
      return static_cast<int>(binning.places(r)[split.axis]) <= split.last;
    };
    const auto middle = std::partition(refs_ + range.first, refs_ + range.end(), goes_left);
    return static_cast<uint32_t>(middle - (refs_ + range.first));
  }

  // Along the longest axis of the centres; equal centres by number, so that the result is unique.
  uint32_t halve(Range range, const Box& centres) {
    const Float4 e = centres.high - centres.low;
    const int axis = e[0] > e[1] ? (e[0] > e[2] ? 0 : 2) : (e[1] > e[2] ? 1 : 2);
    const auto before = [axis](const Reference& a, const Reference& b) {
      const float x = a.box.centre_twice()[axis], y = b.box.centre_twice()[axis];
      return x < y || (x == y && a.primitive < b.primitive);
    };
    const uint32_t left = range.count / 2;
    std::nth_element(refs_ + range.first, refs_ + range.first + left, refs_ + range.end(), before);
    return left;
  }

  BinaryNode* nodes_;
  Reference* refs_;
};

}  // namespace

BinaryTree build_binary_tree(std::vector<Reference> references, int threads) {
  BinaryTree tree;
  tree.references = std::move(references);
  if (tree.references.empty()) return tree;
  const auto count = static_cast<uint32_t>(tree.references.size());
  tree.nodes.resize(2 * tree.references.size() - 1);
  Builder(tree).build(0, {0, count}, 0, threads);
  return tree;
}
