// Puts the children of a wide node into its eight slots.
#pragma once
#include "collapse.h"

constexpr uint32_t NO_NODE = 0xffffffffu;

using Slots = std::array<WideChild, WIDTH>;  // node is NO_NODE in an empty slot

// In the order found.
Slots slots_in_order(const WideChildren& children);

// So that visiting slot s at rank s ^ octant goes roughly front to back for rays of every octant:
// a greedy assignment of offsets from the node's centre to the diagonals, improved by swaps.
Slots slots_by_octant(const WideChildren& children, const BinaryTree& tree, const Box& box);
