// How a tree names what hangs below a node: another node, or a run of leaf entries.
//
// Inner child: the index of its node. Leaf: bit 31, the number of entries in bits 28 to 30, and the
// first entry below. Entries are triangle blocks at the bottom level, placements at the top level.
#pragma once
#include "../portability.cuh"

constexpr uint32_t LEAF_BIT = 0x80000000u;
constexpr uint32_t MAX_ENTRIES = 1u << 28;

DEVICE bool is_leaf(uint32_t child) { return (child & LEAF_BIT) != 0; }
DEVICE uint32_t leaf_first(uint32_t child) { return child & (MAX_ENTRIES - 1); }
DEVICE uint32_t leaf_count(uint32_t child) { return child >> 28 & 7u; }
DEVICE uint32_t leaf_word(uint32_t first, uint32_t count) { return LEAF_BIT | count << 28 | first; }
