// The greatest number of nodes on a path from the root: what makes every traversal stack bounded.
//
// The builder halves a set of primitives by the surface area heuristic only while both parts can
// still be brought to single primitives by halving within this depth; beyond that it takes the
// median. With at most 2^28 primitives a tree can thus never be deeper, whatever the input.
#pragma once

constexpr int MAX_DEPTH = 48;
