// How a set of references is divided in two: by the surface area heuristic in bins (Wald 2007, "On
// fast Construction of SAH-based Bounding Volume Hierarchies"), exactly where there are few.
#pragma once
#include "box.h"
#include "monitor.h"

// A run of references, with what dividing it needs to know of them.
struct ReferenceSet {
  uint32_t first = 0, count = 0;
  Box box;
  Box centres;  // of twice the centres of their boxes

  uint32_t end() const { return first + count; }
};

// Reorders the set's references so that its halves, neither of them empty, lie one after another.
// levels: how many levels of nodes may lie below; halving the set must do with them. The result is
// a function of the order of the references alone. threads: for binning large sets.
struct Halves {
  ReferenceSet left, right;
};
Halves divide(Reference* references, const ReferenceSet& set, int levels, unsigned threads,
              Monitor& monitor);

// Box and centres of a run of references.
ReferenceSet set_of(const Reference* references, uint32_t first, uint32_t count);
