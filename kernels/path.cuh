// What a path carries from stage to stage.
#pragma once
#include "bvh/ray.cuh"
#include "sampler.cuh"

struct Path {
  Ray ray;            // the next segment
  Float3 throughput;  // share of the light found next that reaches the film
  Float3 radiance;    // found so far
  float scatter_pdf;  // density with which ray.direction was chosen, 1/sr
  uint32_t bounce;    // surfaces met before this segment
  Sampler sampler;
  bool is_alive;
  float time;  // of the shutter's opening, 0 to 1; where nothing varies it means nothing
};

// A light that the path would like to see: what it adds if nothing is in the way.
struct Connection {
  Ray ray;
  Float3 radiance;  // black: nothing to connect
};
