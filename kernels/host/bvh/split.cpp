#include "split.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "../thread_pool.h"

namespace {

constexpr int MAX_BINS = 16;
// Sets of so many are divided in every possible way.
constexpr uint32_t FEW = 4;
// References that are binned or moved in one go. Fixed, so that the result is the same for any number
// of threads.
constexpr uint32_t PIECE = 1u << 17;

// Without the spare lane: numbers of primitives are denormal floats, which are slow to multiply.
Lanes<4> centre_of(const Reference& r) {
  const Lanes<4> centre = r.box().centre_twice(), zero = all_lanes<4>(0.0f);
  return {__builtin_shufflevector(centre.v, zero.v, 0, 1, 2, 7)};
}

struct Binning {
  Lanes<4> origin, scale;
  int bins;

  Binning(const Box& centres, uint32_t count)
      : origin(all_lanes<4>(0.0f) - centres.negated_lows()),
        scale{},
        bins(std::min(MAX_BINS, 4 + static_cast<int>(std::min(count, 1000u) / 8))) {
    const Lanes<4> extent = centres.extent();
    for (int a = 0; a < 3; a++)
      if (extent[a] > 0.0f)
        scale.v[a] = std::min(static_cast<float>(bins) * 0.9999f / extent[a], FLT_MAX);
  }
  // The bin along each axis.
  auto places(const Reference& r) const {
    typedef int Int4 __attribute__((vector_size(16)));
    return __builtin_convertvector(((centre_of(r) - origin) * scale).v, Int4);
  }
  // Along one axis; the reference is in memory, where lanes have an index.
  int place(const Reference& r, int axis) const {
    float low, high;
    memcpy(&low, reinterpret_cast<const char*>(&r) + sizeof(float) * axis, sizeof(float));
    memcpy(&high, reinterpret_cast<const char*>(&r) + sizeof(float) * (axis + 4), sizeof(float));
    const float centre = high - low;
    return static_cast<int>((centre - origin[axis]) * scale[axis]);
  }
};

// References sorted by the place of their centre along each axis.
struct Bins {
  int size;
  Box box[MAX_BINS][3];
  uint32_t count[MAX_BINS][4];

  explicit Bins(int bins) : size(bins) {
    for (int b = 0; b < size; b++)
      for (uint32_t& c : count[b]) c = 0;
  }
  void add(const Reference* first, const Reference* end, const Binning& binning) {
    for (const Reference* r = first; r < end; r++) {
      const auto places = binning.places(*r);
      for (int a = 0; a < 3; a++) {
        box[places[a]][a].include(r->box());
        count[places[a]][a]++;
      }
    }
  }
  void add(const Bins& other) {
    for (int b = 0; b < size; b++)
      for (int a = 0; a < 3; a++) {
        box[b][a].include(other.box[b][a]);
        count[b][a] += other.count[b][a];
      }
  }
};

Bins bins_of(const Reference* references, const ReferenceSet& set, const Binning& binning,
             unsigned threads, Monitor& monitor) {
  Bins bins(binning.bins);
  if (set.count <= PIECE) {
    bins.add(references + set.first, references + set.end(), binning);
    return bins;
  }
  const uint32_t pieces = (set.count + PIECE - 1) / PIECE;
  std::vector<Bins> parts(pieces, bins);
  parallel_for(pieces, 1, threads, [&](uint32_t i) {
    monitor.advance(0);
    const uint32_t first = set.first + i * PIECE, end = std::min(first + PIECE, set.end());
    parts[i].add(references + first, references + end, binning);
  });
  for (const Bins& part : parts) bins.add(part);
  return bins;
}

float cost_of(const Box& box, uint32_t count) { return box.area() * static_cast<float>(count); }

// What lies on one side of a plane of each axis, the axes side by side.
struct Side {
  Box box[3];
  Lanes<4> count = all_lanes<4>(0.0f);

  void include(const Bins& bins, int bin) {
    typedef int Int4 __attribute__((vector_size(16)));
    for (int a = 0; a < 3; a++) box[a].include(bins.box[bin][a]);
    Int4 more;
    memcpy(&more, bins.count[bin], sizeof(more));
    count = count + Lanes<4>{__builtin_convertvector(more, Vector<4>::type)};
  }
  Lanes<4> cost() const {
    const Lanes<4> none = all_lanes<4>(0.0f);
    const auto p = maximum(box[0].extent(), none).v, q = maximum(box[1].extent(), none).v,
               r = maximum(box[2].extent(), none).v;
    const auto pairs = __builtin_shufflevector(p, q, 0, 4, 1, 5);
    const Lanes<4> x = {__builtin_shufflevector(pairs, r, 0, 1, 4, 7)};
    const Lanes<4> y = {__builtin_shufflevector(pairs, r, 2, 3, 5, 7)};
    const Lanes<4> z = {__builtin_shufflevector(__builtin_shufflevector(p, q, 2, 6, 3, 7), r, 0, 1, 6, 7)};
    return (x * y + y * z + z * x) * count;
  }
};

// References whose bin along axis is at most last go left.
struct Split {
  int axis, last;
};

// The least cost of all planes between bins. Where no plane parts the references, or none is better
// than leaving them together, one side is empty.
Split best_split(const Bins& bins) {
  Lanes<4> right_cost[MAX_BINS];
  Side left, right;
  for (int b = bins.size - 1; b > 0; b--) {
    right.include(bins, b);
    right_cost[b] = right.cost();
  }
  Lanes<4> best = all_lanes<4>(FLT_MAX);
  auto last = best.v < best.v;  // zeros
  for (int b = 0; b < bins.size - 1; b++) {
    left.include(bins, b);
    const Lanes<4> cost = left.cost() + right_cost[b + 1];
    const auto is_less = cost.v < best.v;
    best = minimum(cost, best);
    last = is_less ? decltype(last){} + b : last;
  }
  const int axis = best[0] <= best[1] ? (best[0] <= best[2] ? 0 : 2) : (best[1] <= best[2] ? 1 : 2);
  return {axis, static_cast<int>(last[axis])};
}

// Moves those that go left to the front of a set, and takes the bounds of the centres on both sides.
// Without branches, which would be guessed wrong every other time.
class Partition {
 public:
  Partition(Reference* first, const Binning& binning, const Split& split)
      : middle_(first), binning_(binning), split_(split) {}

  void take(Reference* first, Reference* end) {
    const Lanes<8> all = all_lanes<8>(FLT_MAX), none = all_lanes<8>(-FLT_MAX);
    const Lanes<8> most_on_left[2] = {none, all}, most_on_right[2] = {all, none};
    Lanes<8> left = left_.lanes, right = right_.lanes;
    Reference* middle = middle_;
    for (Reference* r = first; r < end; r++) {
      const int goes_left = binning_.place(*r, split_.axis) <= split_.last ? 1 : 0;
      const Reference moved = *r;
      const Lanes<8> centre = Box::at(centre_of(moved)).lanes;
      left = maximum(left, minimum(centre, most_on_left[goes_left]));
      right = maximum(right, minimum(centre, most_on_right[goes_left]));
      *r = *middle;
      *middle = moved;
      middle += goes_left;
    }
    left_.lanes = left;
    right_.lanes = right;
    middle_ = middle;
  }
  const Box& left() const { return left_; }
  const Box& right() const { return right_; }

 private:
  Reference* middle_;
  const Binning& binning_;
  const Split split_;
  Box left_, right_;
};

void partition(Reference* references, const ReferenceSet& set, const Binning& binning,
               const Split& split, Monitor& monitor, Halves& halves) {
  Partition partition(references + set.first, binning, split);
  for (uint32_t first = set.first; first < set.end(); first += std::min(PIECE, set.end() - first)) {
    if (set.count > PIECE) monitor.advance(0);
    partition.take(references + first, references + std::min(first + PIECE, set.end()));
  }
  halves.left.centres = partition.left();
  halves.right.centres = partition.right();
}

// Levels that halving needs to reach single references.
int levels_of(uint32_t count) {
  int levels = 0;
  while ((uint64_t{1} << levels) < count) levels++;
  return levels;
}

Halves halves_at(const ReferenceSet& set, uint32_t left_count) {
  Halves halves;
  halves.left.first = set.first;
  halves.left.count = left_count;
  halves.right.first = set.first + left_count;
  halves.right.count = set.count - left_count;
  return halves;
}

bool divide_by_area(Reference* references, const ReferenceSet& set, int levels, unsigned threads,
                    Monitor& monitor, Halves& halves) {
  const Binning binning(set.centres, set.count);
  const Bins bins = bins_of(references, set, binning, threads, monitor);
  const Split split = best_split(bins);
  Box left, right;
  uint32_t left_count = 0;
  for (int b = 0; b < bins.size; b++) {
    (b <= split.last ? left : right).include(bins.box[b][split.axis]);
    if (b <= split.last) left_count += bins.count[b][split.axis];
  }
  if (left_count == 0 || left_count == set.count) return false;
  halves = halves_at(set, left_count);
  if (levels_of(std::max(left_count, halves.right.count)) >= levels) return false;
  partition(references, set, binning, split, monitor, halves);
  halves.left.box = left;
  halves.right.box = right;
  return true;
}

// Along the longest axis of the centres; equal centres by number, so that the result is unique.
Halves divide_in_the_middle(Reference* references, const ReferenceSet& set) {
  const Lanes<4> e = set.centres.extent();
  const int axis = e[0] > e[1] ? (e[0] > e[2] ? 0 : 2) : (e[1] > e[2] ? 1 : 2);
  const auto before = [axis](const Reference& a, const Reference& b) {
    const float x = centre_of(a)[axis], y = centre_of(b)[axis];
    if (x != y) return x < y;
    return a.instance() != b.instance() ? a.instance() < b.instance()
                                        : a.primitive() < b.primitive();
  };
  const uint32_t left = set.count / 2;
  Reference* first = references + set.first;
  std::nth_element(first, first + left, references + set.end(), before);
  return {set_of(references, set.first, left),
          set_of(references, set.first + left, set.count - left)};
}

// Every way to divide up to four references: bit i of a row sends reference i to the left.
constexpr uint8_t WAYS[FEW + 1][8] = {
    {}, {}, {1}, {1, 2, 4}, {1, 2, 4, 8, 1 | 2, 1 | 4, 1 | 8}};

Halves divide_few(Reference* references, const ReferenceSet& set) {
  Reference* first = references + set.first;
  float least = FLT_MAX;
  uint8_t best = 0;
  Box best_left, best_right;
  uint32_t best_count = 0;
  for (int w = 0; WAYS[set.count][w]; w++) {
    const uint8_t way = WAYS[set.count][w];
    Box left, right;
    uint32_t left_count = 0;
    for (uint32_t i = 0; i < set.count; i++) {
      const bool goes_left = way >> i & 1;
      (goes_left ? left : right).include(first[i].box());
      left_count += goes_left ? 1 : 0;
    }
    const float cost = cost_of(left, left_count) + cost_of(right, set.count - left_count);
    if (best && cost >= least) continue;
    least = cost;
    best = way;
    best_left = left;
    best_right = right;
    best_count = left_count;
  }
  Halves halves = halves_at(set, best_count);
  halves.left.box = best_left;
  halves.right.box = best_right;
  uint32_t middle = 0;
  for (uint32_t i = 0; i < set.count; i++)
    if (best >> i & 1) std::swap(first[i], first[middle++]);
  return halves;
}

}  // namespace

Halves divide(Reference* references, const ReferenceSet& set, int levels, unsigned threads,
              Monitor& monitor) {
  if (set.count <= FEW && levels > 2) return divide_few(references, set);
  Halves halves;
  if (divide_by_area(references, set, levels, threads, monitor, halves)) return halves;
  return divide_in_the_middle(references, set);
}

ReferenceSet set_of(const Reference* references, uint32_t first, uint32_t count) {
  ReferenceSet set;
  set.first = first;
  set.count = count;
  for (const Reference* r = references + first; r < references + set.end(); r++) {
    set.box.include(r->box());
    set.centres.include(Box::at(centre_of(*r)));
  }
  return set;
}
