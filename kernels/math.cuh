// Elementary functions as short polynomials: faster than the library's, and the same bits on every
// processor. Coefficients are our own minimax fits; errors are bounded in tests/kernels.
#pragma once
#include "vec.cuh"

constexpr float PI = 3.14159265f;
constexpr float INVERSE_PI = 0.318309886f;
// Largest float below one: the end of the unit interval that samples are drawn from.
constexpr float BELOW_ONE = 0.99999994f;
// Beyond every scene.
constexpr float FAR_AWAY = 1e30f;

DEVICE float square(float x) { return x * x; }
DEVICE float fifth_power(float x) { return square(square(x)) * x; }
DEVICE float square_root(float x) { return sqrtf(maximum(x, 0.0f)); }

struct SinCos {
  float sine, cosine;
};

// Of a full turn's fraction, 0 <= turns <= 1. Absolute error below 2e-7.
DEVICE SinCos sin_cos_of_turns(float turns) {
  const int quadrant = static_cast<int>(4.0f * turns + 0.5f);
  const float r = turns - 0.25f * static_cast<float>(quadrant);
  const float z = r * r;
  const float s = r * (6.28318529f + z * (-41.3416615f + z * (81.5923536f + z * -75.3935627f)));
  const float c =
      1.0f + z * (-19.7392086f + z * (64.9393107f + z * (-85.442298f + z * 59.2027961f)));
  // By masks: no processor foresees the quadrant of a random number.
  const auto q = static_cast<uint32_t>(quadrant);
  const uint32_t sine = bits_of(s), cosine = bits_of(c), swap = (sine ^ cosine) & (0u - (q & 1u));
  return {float_of(sine ^ swap ^ (q & 2u) << 30),
          float_of(cosine ^ swap ^ ((q + 1u) & 2u) << 30)};
}

// 2^x, clamped to the range of normal floats. Relative error below 2e-7.
DEVICE float exponential2(float x) {
  const float bounded = clamp(x, -126.0f, 127.0f);
  const float whole = floorf(bounded + 0.5f);
  const float f = bounded - whole;
  const float fraction =
      1.0f + f * (0.693147206f + f * (0.240226469f + f * (0.0555032878f + f * (0.00961848897f +
             f * (0.00133999312f + f * 0.000153458086f)))));
  return fraction * float_of(static_cast<uint32_t>(static_cast<int>(whole) + 127) << 23);
}

// Base-two logarithm of a positive normal float, by 2 artanh((m - 1) / (m + 1)) of the mantissa m,
// taken between sqrt(1/2) and sqrt(2). Absolute error below 2e-7 times (1 + the result's magnitude).
DEVICE float logarithm2(float x) {
  const uint32_t shifted = bits_of(x) - 0x3f3504f3u;
  const int exponent = static_cast<int>(shifted) >> 23;
  const float m = float_of((shifted & 0x007fffffu) + 0x3f3504f3u);
  const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  const float series =
      2.88539008f + z * (0.961796694f + z * (0.577078016f + z * (0.412198583f + z * 0.320598898f)));
  return static_cast<float>(exponent) + s * series;
}

// base^exponent for base >= 0; 0^0 is 1.
DEVICE float power(float base, float exponent) {
  if (base < 1e-37f) return exponent == 0.0f ? 1.0f : 0.0f;
  return exponential2(exponent * logarithm2(base));
}

DEVICE float exponential(float x) { return exponential2(x * 1.44269504f); }
DEVICE Float3 exponential(Float3 v) {
  return {exponential(v.x), exponential(v.y), exponential(v.z)};
}
