#include "collapse.h"

#include <cfloat>

Collapse::Collapse(const BinaryTree& tree, const CollapseCosts& costs)
    : tree_(tree), plans_(tree.nodes.size()) {
  // Children lie behind their parents.
  for (size_t i = plans_.size(); i-- > 0;) {
    const auto node = static_cast<uint32_t>(i);
    plans_[i] = tree.nodes[i].is_leaf() ? plan_leaf(node, costs) : plan_inner(node, costs);
  }
}

float Collapse::leaf_cost(uint32_t node, const CollapseCosts& costs) const {
  const BinaryNode& n = tree_.nodes[node];
  if (n.count > costs.max_leaf) return FLT_MAX;
  return n.box.area() * costs.entry * static_cast<float>(costs.entries(n.count));
}

Collapse::Plan Collapse::plan_leaf(uint32_t node, const CollapseCosts& costs) const {
  Plan plan;
  plan.cost.fill(leaf_cost(node, costs));
  plan.split.fill(FEWER);
  plan.split[0] = LEAF;
  return plan;
}

Collapse::Plan Collapse::plan_inner(uint32_t node, const CollapseCosts& costs) const {
  const Plan &left = plans_[tree_.left(node)], &right = plans_[tree_.right(node)];
  Plan plan;
  // Each side is represented by 1 to 7 roots.
  const auto share = [&](int roots, uint8_t& best_left) {
    float best = FLT_MAX;
    best_left = 1;
    for (int l = roots < WIDTH ? 1 : roots - WIDTH + 1; l < roots && l < WIDTH; l++) {
      const float cost = left.cost[l - 1] + right.cost[roots - l - 1];
      if (cost < best) {
        best = cost;
        best_left = static_cast<uint8_t>(l);
      }
    }
    return best;
  };
  const float as_node = share(WIDTH, plan.split[WIDTH - 1]) +
                        tree_.nodes[node].box.area() * costs.node;
  const float as_leaf = leaf_cost(node, costs);
  plan.cost[0] = as_leaf <= as_node ? as_leaf : as_node;
  plan.split[0] = as_leaf <= as_node ? LEAF : NODE;
  for (int i = 1; i < WIDTH - 1; i++) {
    plan.cost[i] = share(i + 1, plan.split[i]);
    if (plan.cost[i] < plan.cost[i - 1]) continue;
    plan.cost[i] = plan.cost[i - 1];
    plan.split[i] = FEWER;
  }
  return plan;
}

WideChildren Collapse::children(uint32_t node) const {
  WideChildren result;
  const uint8_t left = plans_[node].split[WIDTH - 1];
  gather(tree_.left(node), left, result);
  gather(tree_.right(node), WIDTH - left, result);
  return result;
}

void Collapse::gather(uint32_t node, int roots, WideChildren& result) const {
  const auto& split = plans_[node].split;
  while (roots > 1 && split[roots - 1] == FEWER) roots--;
  if (roots == 1) {
    result.child[result.count++] = {node, is_leaf(node)};
    return;
  }
  gather(tree_.left(node), split[roots - 1], result);
  gather(tree_.right(node), roots - split[roots - 1], result);
}
