#include "forest.h"

namespace {

constexpr uint32_t PARALLEL_COUNT = 1u << 15;

}  // namespace

std::unique_ptr<TopNode> divide_to_treelets(Reference* references, const ReferenceSet& set,
                                            int levels, unsigned threads, Monitor& monitor) {
  auto node = std::make_unique<TopNode>();
  node->set = set;
  node->levels = levels;
  monitor.advance(set.count <= MAX_TREELET ? set.count : 0);
  if (set.count <= MAX_TREELET) return node;
  const Halves halves = divide(references, set, levels, threads, monitor);
  const auto divide_part = [&](const ReferenceSet& part, unsigned share) {
    return divide_to_treelets(references, part, levels - 1, share, monitor);
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
