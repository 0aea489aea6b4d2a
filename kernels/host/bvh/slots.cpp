#include "slots.h"

#include <cfloat>
#include <utility>

namespace {

// value[i][s]: how far child i lies towards corner s of the node.
struct Assignment {
  float value[WIDTH][WIDTH];
  int slot_of[WIDTH];
  int count;

  void assign_greedily() {
    bool child_done[WIDTH] = {}, slot_done[WIDTH] = {};
    for (int round = 0; round < count; round++) {
      float best = -FLT_MAX;
      int child = -1, slot = -1;
      for (int i = 0; i < count; i++)
        for (int s = 0; s < WIDTH; s++)
          if (!child_done[i] && !slot_done[s] && (child < 0 || value[i][s] > best)) {
            best = value[i][s];
            child = i;
            slot = s;
          }
      child_done[child] = slot_done[slot] = true;
      slot_of[child] = slot;
    }
  }

  // Every swap raises the sum; the number of rounds is bounded because sums of floats may cycle.
  void improve_by_swaps() {
    bool improved = true;
    for (int round = 0; improved && round < 16; round++) {
      improved = false;
      for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
          const int a = slot_of[i], b = slot_of[j];
          if (value[i][b] + value[j][a] <= value[i][a] + value[j][b]) continue;
          std::swap(slot_of[i], slot_of[j]);
          improved = true;
        }
    }
  }
};

}  // namespace

Slots slots_in_order(const WideChildren& children) {
  Slots slots;
  slots.fill({NO_NODE, false});
  for (int i = 0; i < children.count; i++) slots[i] = children.child[i];
  return slots;
}

Slots slots_by_octant(const WideChildren& children, const BinaryTree& tree, const Box& box) {
  Assignment assignment;
  assignment.count = children.count;
  for (int i = 0; i < children.count; i++) {
    const Box& child = tree.nodes[children.child[i].node].box;
    const Lanes<4> offset = child.centre_twice() - box.centre_twice();
    for (int s = 0; s < WIDTH; s++)
      assignment.value[i][s] = (s & 1 ? offset[0] : -offset[0]) +
                               (s & 2 ? offset[1] : -offset[1]) + (s & 4 ? offset[2] : -offset[2]);
  }
  assignment.assign_greedily();
  assignment.improve_by_swaps();
  Slots slots;
  slots.fill({NO_NODE, false});
  for (int i = 0; i < children.count; i++) slots[assignment.slot_of[i]] = children.child[i];
  return slots;
}
