#include "forest.h"

namespace {

constexpr uint32_t PARALLEL_COUNT = 1u << 15;

// Of what tracing the set as it is would cost: dividing a treelet's set has to save the rest.
constexpr float WORTH_DIVIDING = 0.85f;

float cost_of(const ReferenceSet& set) { return set.box.area() * static_cast<float>(set.count); }

}  // namespace

std::unique_ptr<TopNode> divide_to_treelets(Reference* references, const ReferenceSet& set,
                                            float large, int levels, unsigned threads,
                                            Monitor& monitor) {
  auto node = std::make_unique<TopNode>();
  node->set = set;
  node->levels = levels;
  const auto as_it_is = [&] {
    monitor.advance(set.count);
    return std::move(node);
  };
  if (set.count == 1 || (set.count <= MAX_TREELET && set.box.area() <= large)) return as_it_is();
  monitor.advance(0);
  const Halves halves = divide(references, set, levels, threads, monitor);
  if (set.count <= MAX_TREELET &&
      cost_of(halves.left) + cost_of(halves.right) > WORTH_DIVIDING * cost_of(set))
    return as_it_is();
  const auto divide_part = [&](const ReferenceSet& part, unsigned share) {
    return divide_to_treelets(references, part, large, levels - 1, share, monitor);
  };
  if (threads < 2 || set.count < PARALLEL_COUNT) {
    node->left = divide_part(halves.left, 1);
    node->right = divide_part(halves.right, 1);
    return node;
  }
  auto other = std::async(std::launch::async, divide_part, std::cref(halves.right), threads / 2);
  node->left = divide_part(halves.left, threads - threads / 2);
  monitor.wait(other);
  node->right = other.get();
  return node;
}
