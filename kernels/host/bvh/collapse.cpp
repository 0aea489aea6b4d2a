#include "collapse.h"

#include <algorithm>
#include <cfloat>

namespace {

// Lane i becomes lane i + 1; none comes in from below.
Lanes<8> shift_up(Lanes<8> a) {
  const Lanes<8> none = all_lanes<8>(FLT_MAX);
  return {__builtin_shufflevector(a.v, none.v, 8, 0, 1, 2, 3, 4, 5, 6)};
}

}  // namespace

float Collapse::leaf_cost(uint32_t node) const {
  const BinaryNode& n = tree_.nodes[node];
  if (n.count > costs_.max_leaf) return FLT_MAX;
  return n.box.area() * costs_.entry * static_cast<float>(costs_.entries(n.count));
}

void Collapse::plan_leaf(uint32_t node) {
  plans_[node].cost.fill(leaf_cost(node));
  plans_[node].split[0] = LEAF;
}

void Collapse::plan_treelet(uint32_t node, float cost) {
  plans_[node].cost.fill(cost);
  plans_[node].split[0] = NODE;
}

void Collapse::plan_inner(uint32_t node) {
  const Plan &left = plans_[BinaryTree::left(node)], &right = plans_[tree_.right(node)];
  Plan& plan = plans_[node];
  // Lane i: i + 1 roots shared out, 1 to 7 to each side.
  Lanes<8> with_rest = load_lanes<8>(right.cost.data());
  Lanes<8> best = all_lanes<8>(FLT_MAX);
  auto split = best.v < best.v;  // zeros
  for (int l = 1; l < WIDTH; l++) {
    with_rest = shift_up(with_rest);
    const Lanes<8> cost = all_lanes<8>(left.cost[l - 1]) + with_rest;
    const auto is_less = cost.v < best.v;
    best = minimum(cost, best);
    split = is_less ? decltype(split){} + l : split;
  }
  for (int i = 0; i < WIDTH; i++) plan.split[i] = static_cast<uint8_t>(split[i]);
  const float as_node = best[WIDTH - 1] + tree_.nodes[node].box.area() * costs_.node;
  const float as_leaf = leaf_cost(node);
  plan.split[0] = as_leaf <= as_node ? LEAF : NODE;
  plan.cost[0] = std::min(as_leaf, as_node);
  for (int i = 1; i < WIDTH; i++) plan.cost[i] = std::min(best[i], plan.cost[i - 1]);
}

WideChildren Collapse::children(uint32_t node) const {
  WideChildren result;
  const uint8_t left = plans_[node].split[WIDTH - 1];
  gather(BinaryTree::left(node), left, result);
  gather(tree_.right(node), WIDTH - left, result);
  return result;
}

void Collapse::gather(uint32_t node, int roots, WideChildren& result) const {
  const Plan& plan = plans_[node];
  while (roots > 1 && !(plan.cost[roots - 1] < plan.cost[roots - 2])) roots--;
  if (roots == 1) {
    result.child[result.count++] = {node, is_leaf(node)};
    return;
  }
  gather(BinaryTree::left(node), plan.split[roots - 1], result);
  gather(tree_.right(node), roots - plan.split[roots - 1], result);
}
