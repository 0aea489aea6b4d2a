// Random numbers as a pure function of (pixel, sample, dimension, seed): the two-dimensional Sobol
// sequence, Owen-scrambled and shuffled by hashing, padded over the dimensions of a path. Burley
// 2020, "Practical Hash-based Owen Scrambling", JCGT 9(4); the hash of an Owen tree is of Laine and
// Karras 2011.
//
// Any 2^k samples of a pixel from a multiple of 2^k on are a (0,2)-net in every pair of dimensions,
// and different pixels, dimensions and seeds are independent of each other.
#pragma once
#include "math.cuh"
#include "word_lanes.cuh"

struct Sampler {
  uint32_t reversed_index;  // of the sample, bits in reverse order, as the hashes want it
  uint32_t pixel_seed;
};

// Words are uint32_t, or Words<N> for several draws at once.

// Bijective, avalanching. The multipliers are of Wellons' search, "prospecting for hash functions".
template <class Word>
DEVICE Word hash(Word x) {
  x = x ^ x >> 16;
  x = x * 0x21f0aaadu;
  x = x ^ x >> 15;
  x = x * 0xd35a2d97u;
  return x ^ x >> 15;
}

// Owen scrambling of a number whose bits are reversed: each bit is flipped by a hash of the bits
// below it. The improved constants are Vegdahl's.
template <class Word>
DEVICE Word scramble_reversed(Word x, Word seed) {
  x = x ^ x * 0x3d20adeau;
  x = x + seed;
  x = x * (seed >> 16 | 1u);
  x = x ^ x * 0x05526c56u;
  return x ^ x * 0x53a22864u;
}

// A Sobol dimension of an index, bits reversed. The first is the index itself; the second, where
// is_second has all bits set and not none, the index times the Pascal matrix modulo two. By Lucas'
// theorem that is five steps, one for each bit of a bit's number.
template <class Word>
DEVICE Word sobol_reversed(Word index, Word is_second) {
  index = index ^ (index >> 16 & (is_second & 0x0000ffffu));
  index = index ^ (index & (is_second & 0xff00ff00u)) >> 8;
  index = index ^ (index & (is_second & 0xf0f0f0f0u)) >> 4;
  index = index ^ (index & (is_second & 0xccccccccu)) >> 2;
  return index ^ (index & (is_second & 0xaaaaaaaau)) >> 1;
}

// The upper 24 bits, as many as a float holds below one.
DEVICE float unit_interval(uint32_t bits) {
  return static_cast<float>(static_cast<int>(bits >> 8)) * (1.0f / 16777216.0f);
}

DEVICE uint32_t seed_of_pixel(uint32_t x, uint32_t y, uint32_t seed) {
  return hash(x + hash(y + hash(seed)));
}
DEVICE Sampler sampler_for(uint32_t x, uint32_t y, uint32_t sample, uint32_t seed) {
  return {reverse_bits(sample), seed_of_pixel(x, y, seed)};
}

DEVICE float draw1(const Sampler& sampler, uint32_t dimension) {
  const uint32_t seed = hash(sampler.pixel_seed ^ dimension * 0x9e3779b9u);
  const uint32_t index = reverse_bits(scramble_reversed(sampler.reversed_index, seed));
  return unit_interval(reverse_bits(scramble_reversed(index, hash(seed + 1u))));
}

// The two members of a pair are scrambled by seeds of their own: seed * factor ^ offset.
constexpr uint32_t FIRST_FACTOR = 0x9e3779b1u, FIRST_OFFSET = 0xa511e9b3u;
constexpr uint32_t SECOND_FACTOR = 0x85ebca77u, SECOND_OFFSET = 0x63d83595u;

struct TwoPairs {
  Float2 first, second;
};

// The pairs of two dimensions at once, which takes the host little longer than one.
DEVICE TwoPairs draw_two_pairs(const Sampler& sampler, uint32_t first, uint32_t second) {
  const auto alternating = [](uint32_t a, uint32_t b) { return Words<4>{a, b, a, b}; };
  const Words<4> dimension = {first, first, second, second};
  const Words<4> seed = hash(dimension * 0x9e3779b9u ^ sampler.pixel_seed);
  const Words<4> same = all_words<4>(sampler.reversed_index);
  const Words<4> index = reverse_bits(scramble_reversed(same, seed));
  const Words<4> own_seed = seed * alternating(FIRST_FACTOR, SECOND_FACTOR) ^
                            alternating(FIRST_OFFSET, SECOND_OFFSET);
  const Words<4> sobol = sobol_reversed(index, alternating(0u, ~0u));
  const Words<4> u = reverse_bits(scramble_reversed(sobol, own_seed));
  return {{unit_interval(u[0]), unit_interval(u[1])}, {unit_interval(u[2]), unit_interval(u[3])}};
}

DEVICE Float2 draw2(const Sampler& sampler, uint32_t dimension) {
  return draw_two_pairs(sampler, dimension, dimension).first;
}

template <int N>
struct Pairs {
  Lanes<N> x, y;
};

// The pairs of one dimension for N samples of a pixel.
template <int N>
DEVICE Pairs<N> draw_pairs(Words<N> reversed_index, uint32_t pixel_seed, uint32_t dimension) {
  const uint32_t seed = hash(dimension * 0x9e3779b9u ^ pixel_seed);
  const Words<N> index = reverse_bits(scramble_reversed(reversed_index, all_words<N>(seed)));
  const auto member = [&](uint32_t is_second, uint32_t own_seed) {
    const Words<N> sobol = sobol_reversed(index, all_words<N>(is_second));
    const Words<N> bits = reverse_bits(scramble_reversed(sobol, all_words<N>(own_seed)));
    return floats_of<N>(bits >> 8) * all_lanes<N>(1.0f / 16777216.0f);
  };
  return {member(0u, seed * FIRST_FACTOR ^ FIRST_OFFSET),
          member(~0u, seed * SECOND_FACTOR ^ SECOND_OFFSET)};
}

// What a path draws numbers for; each has a dimension of its own at every bounce, whatever happened
// before.
enum Purpose : uint32_t { DRAW_LIGHT, DRAW_SCATTER, DRAW_ROULETTE, PURPOSES };
constexpr uint32_t FILM_DIMENSION = 0;
constexpr uint32_t TIME_DIMENSION = 0xffffffffu;  // beyond those of every bounce

DEVICE uint32_t dimension_of(uint32_t bounce, Purpose purpose) {
  return 1 + bounce * PURPOSES + purpose;
}

// What every bounce draws.
struct BounceDraws {
  Float2 light, scatter;
};

DEVICE BounceDraws draw_for_bounce(const Sampler& sampler, uint32_t bounce) {
  const TwoPairs drawn = draw_two_pairs(sampler, dimension_of(bounce, DRAW_LIGHT),
                                        dimension_of(bounce, DRAW_SCATTER));
  return {drawn.first, drawn.second};
}
