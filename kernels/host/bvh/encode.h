// Writes one wide node in the form of a layout.
#pragma once
#include "../../bvh/node_compressed.cuh"
#include "../../bvh/node_float.cuh"
#include "box.h"

// The children of one node, by slot. Inner children lie one after another from first_child in slot
// order, and leaves from first_entry.
struct NodeContents {
  Box box[8];
  uint32_t child[8];    // child words
  uint8_t inner, leaf;  // bit s: slot s holds an inner child, a leaf
  uint32_t first_child, first_entry;
};

void encode(const NodeContents& contents, FloatNode& node);
void encode(const NodeContents& contents, CompressedNode& node);

// All but the boxes.
NodeContents contents_of(const FloatNode& node);
NodeContents contents_of(const CompressedNode& node);

// For nodes and entries that were numbered from zero: their first have these numbers now.
void relocate(FloatNode& node, uint32_t first_node, uint32_t first_entry);
void relocate(CompressedNode& node, uint32_t first_node, uint32_t first_entry);
