// Random numbers as a pure function of (pixel, sample, dimension, seed): the two-dimensional Sobol
// sequence, Owen-scrambled and shuffled by hashing, padded over the dimensions of a path. Burley
// 2020, "Practical Hash-based Owen Scrambling", JCGT 9(4); the hash of an Owen tree is of Laine and
// Karras 2011.
//
// Any 2^k samples of a pixel from a multiple of 2^k on are a (0,2)-net in every pair of dimensions,
// and different pixels, dimensions and seeds are independent of each other.
#pragma once
#include "math.cuh"

struct Sampler {
  uint32_t reversed_index;  // of the sample, bits in reverse order, as the hashes want it
  uint32_t pixel_seed;
};

// Bijective, avalanching. The multipliers are of Wellons' search, "prospecting for hash functions".
DEVICE uint32_t hash(uint32_t x) {
  x ^= x >> 16;
  x *= 0x21f0aaadu;
  x ^= x >> 15;
  x *= 0xd35a2d97u;
  return x ^ x >> 15;
}

// Owen scrambling of a number whose bits are reversed: each bit is flipped by a hash of the bits
// below it. The improved constants are Vegdahl's.
DEVICE uint32_t scramble_reversed(uint32_t x, uint32_t seed) {
  x ^= x * 0x3d20adeau;
  x += seed;
  x *= seed >> 16 | 1u;
  x ^= x * 0x05526c56u;
  return x ^ x * 0x53a22864u;
}

// The second Sobol dimension of an index, bits reversed: the index times the Pascal matrix modulo
// two. By Lucas' theorem that is five steps, one for each bit of a bit's number.
DEVICE uint32_t sobol_reversed(uint32_t index) {
  index ^= index >> 16;
  index ^= (index & 0xff00ff00u) >> 8;
  index ^= (index & 0xf0f0f0f0u) >> 4;
  index ^= (index & 0xccccccccu) >> 2;
  return index ^ (index & 0xaaaaaaaau) >> 1;
}

// The upper 24 bits, as many as a float holds below one.
DEVICE float unit_interval(uint32_t bits) {
  return static_cast<float>(bits >> 8) * (1.0f / 16777216.0f);
}

DEVICE Sampler sampler_for(uint32_t x, uint32_t y, uint32_t sample, uint32_t seed) {
  return {reverse_bits(sample), hash(x + hash(y + hash(seed)))};
}

DEVICE uint32_t seed_of_dimension(const Sampler& sampler, uint32_t dimension) {
  return hash(sampler.pixel_seed ^ dimension * 0x9e3779b9u);
}

DEVICE float draw1(const Sampler& sampler, uint32_t dimension) {
  const uint32_t seed = seed_of_dimension(sampler, dimension);
  const uint32_t index = reverse_bits(scramble_reversed(sampler.reversed_index, seed));
  return unit_interval(reverse_bits(scramble_reversed(index, hash(seed + 1u))));
}

DEVICE Float2 draw2(const Sampler& sampler, uint32_t dimension) {
  const uint32_t seed = seed_of_dimension(sampler, dimension);
  const uint32_t index = reverse_bits(scramble_reversed(sampler.reversed_index, seed));
  const uint32_t x = scramble_reversed(index, seed * 0x9e3779b1u ^ 0xa511e9b3u);
  const uint32_t y = scramble_reversed(sobol_reversed(index), seed * 0x85ebca77u ^ 0x63d83595u);
  return {unit_interval(reverse_bits(x)), unit_interval(reverse_bits(y))};
}

// What a path draws numbers for; each has a dimension of its own at every bounce, whatever happened
// before.
enum Purpose : uint32_t { DRAW_LIGHT, DRAW_SCATTER, DRAW_ROULETTE, PURPOSES };
constexpr uint32_t FILM_DIMENSION = 0;

DEVICE uint32_t dimension_of(uint32_t bounce, Purpose purpose) {
  return 1 + bounce * PURPOSES + purpose;
}
