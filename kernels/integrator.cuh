// Unidirectional path tracing with next-event estimation and multiple importance sampling. Kajiya
// 1986; Veach 1997. The stages share the Path alone, so that they run one after another for a path
// (trace_path) as well as each for many paths (wavefront.cuh).
#pragma once
#include "camera.cuh"
#include "cutouts.cuh"
#include "lights.cuh"
#include "path.cuh"
#include "surface.cuh"

// From this bounce on, roulette ends paths that carry little.
constexpr uint32_t ROULETTE_START = 4;
constexpr float ROULETTE_SURVIVAL = 0.95f;

// Share of a strategy among two that find the same light: Veach's balance heuristic.
DEVICE float mis_weight(float pdf, float other) { return pdf / (pdf + other); }

template <class Job>
DEVICE Path generate(const Job& job, PixelPosition pixel, uint32_t sample) {
  const Sampler sampler = sampler_for(pixel.x, pixel.y, sample, job.seed);
  const Float2 jitter = draw2(sampler, FILM_DIMENSION);
  const Float2 film_point = {static_cast<float>(pixel.x) + jitter.x,
                             static_cast<float>(pixel.y) + jitter.y};
  Camera camera = job.camera;
  float time = 0.0f;
  if constexpr (Job::varies) {
    time = draw1(sampler, TIME_DIMENSION);
    camera = camera_at(job.camera, time);
  }
  return {camera_ray(camera, film_point), splat(1.0f), splat(0.0f), SPECULAR_PDF, 0, sampler, true,
          time};
}

// How many samples of a pixel begin side by side: as many as a vector of the host has lanes.
template <class Job>
constexpr int ABREAST = ON_GPU || Job::varies ? 1 : 8;

// As generate(), bit for bit, for samples sample, sample + 1, ...
template <class Job, int N>
DEVICE void generate_abreast(const Job& job, PixelPosition pixel, uint32_t sample,
                             Path (&paths)[N]) {
  const uint32_t pixel_seed = seed_of_pixel(pixel.x, pixel.y, job.seed);
  const Words<N> index = reverse_bits(counting_words<N>(sample));
  const Pairs<N> jitter = draw_pairs<N>(index, pixel_seed, FILM_DIMENSION);
  const Lanes3<N> direction =
      camera_directions(job.camera, all_lanes<N>(static_cast<float>(pixel.x)) + jitter.x,
                        all_lanes<N>(static_cast<float>(pixel.y)) + jitter.y);
  for (int i = 0; i < N; i++) {
    const Float3 toward = {direction.x[i], direction.y[i], direction.z[i]};
    paths[i] = {{job.camera.origin, toward, 0.0f, FAR_AWAY}, splat(1.0f), splat(0.0f),
                SPECULAR_PDF, 0, {index[i], pixel_seed}, true, 0.0f};
  }
}
template <class Job>
DEVICE void generate_abreast(const Job& job, PixelPosition pixel, uint32_t sample,
                             Path (&path)[1]) {
  path[0] = generate(job, pixel, sample);
}

enum SegmentKind : uint32_t { SEGMENT_SCATTERED, SEGMENT_CONNECTION, SEGMENT_KINDS };

// Shadows are as sharp as textures are.
template <class Job>
DEVICE float spread_of_segment(const Job& job, const Path& path, SegmentKind kind) {
  return Job::textured && kind == SEGMENT_SCATTERED ? spread_of(job, path) : 0.0f;
}

template <class Job>
DEVICE auto conditions_of(const Job& job, const Path& path, SegmentKind kind) {
  if constexpr (Job::varies)
    return Moment<DrawnPresence<Job>>{
        path.time,
        {job, path.sampler, path.bounce * SEGMENT_KINDS + kind, spread_of_segment(job, path, kind)}};
  else
    return Always{};
}

// A hit's face is far away in memory, mostly: fetched while traversal looks for a closer one.
struct FetchFace {
  const RenderJob& job;
  DEVICE void operator()(const Hit& hit) const { prefetch(face_of(job, hit)); }
};

template <class Job>
DEVICE bool extend(const Job& job, const Path& path, Hit& hit) {
  const uint32_t visible = path.bounce == 0 ? VISIBLE_TO_CAMERA : VISIBLE_TO_PATHS;
  return closest_hit(job.accelerator, path.ray, visible, hit,
                     conditions_of(job, path, SEGMENT_SCATTERED), FetchFace{job});
}

DEVICE void escape(const RenderJob& job, Path& path) {
  path.radiance = path.radiance + path.throughput * job.environment;
  path.is_alive = false;
}

DEVICE void gather_emission(const RenderJob& job, Path& path, const Surface& at, float distance) {
  if (!at.front || is_black(at.emission)) return;
  const float cosine = -dot(at.normal, path.ray.direction);
  const float connected =
      per_solid_angle(at.emission_share * emission_pdf(job, at.emission), distance, cosine);
  path.radiance = path.radiance +
                  path.throughput * at.emission * at.glow * mis_weight(path.scatter_pdf, connected);
}

template <class Job>
DEVICE Connection choose_connection(const Job& job, const Path& path, const Surface& at,
                                    const Incidence& seen, Float2 u) {
  const Float3 from = offset_origin(at.position, at.normal, at.error);
  const LightSample light = sample_light(job, from, u, path.time);
  const Connection none = {{}, splat(0.0f)};
  if (is_black(light.color)) return none;
  const Float3 incoming = to_local(at.frame, light.direction);
  if (!(incoming.z > 0.0f && same_side(at, light.direction, incoming))) return none;
  const Evaluation found = evaluate(at.shader, seen, incoming);
  // The connection's share by the balance heuristic, over its density.
  const float density = light.pdf + (light.may_be_hit ? found.pdf : 0.0f);
  return {{from, light.direction, 0.0f, light.distance},
          path.throughput * found.value * light.color * (1.0f / density)};
}

DEVICE void scatter(Path& path, const Surface& at, const Incidence& seen, Float2 u) {
  const Scattering next = sample(at.shader, seen, u);
  const Float3 direction = to_world(at.frame, next.incoming);
  path.is_alive = !is_black(next.weight) && same_side(at, direction, next.incoming);
  const Float3 side = next.incoming.z > 0.0f ? at.normal : -at.normal;
  path.ray = {offset_origin(at.position, side, at.error), direction, 0.0f, FAR_AWAY};
  path.throughput = path.throughput * next.weight;
  path.scatter_pdf = next.pdf;
}

DEVICE void play_roulette(Path& path) {
  if (path.bounce < ROULETTE_START) return;
  const float survival = minimum(ROULETTE_SURVIVAL, max_component(path.throughput));
  if (draw1(path.sampler, dimension_of(path.bounce, DRAW_ROULETTE)) >= survival)
    path.is_alive = false;
  else
    path.throughput = path.throughput * (1.0f / survival);
}

// Takes in what the surface emits, chooses a light to connect to and the next segment.
template <class Job>
DEVICE Connection shade(const Job& job, Path& path, const Hit& hit, const BounceDraws& draws) {
  ShaderPlaces<Job> places;
  const Surface at = surface_at(job, path, hit, places);
  gather_emission(job, path, at, hit.t);
  if (path.bounce + 1 >= job.max_depth) {
    path.is_alive = false;
    return {{}, splat(0.0f)};
  }
  const Incidence seen = {to_local(at.frame, -path.ray.direction), at.front, hit.t};
  const Connection connection = choose_connection(job, path, at, seen, draws.light);
  scatter(path, at, seen, draws.scatter);
  play_roulette(path);
  path.bounce++;
  return connection;
}

template <class Job>
DEVICE void connect(const Job& job, Path& path, const Connection& connection) {
  if (is_black(connection.radiance)) return;
  if (any_hit(job.accelerator, connection.ray, CASTS_SHADOW,
              conditions_of(job, path, SEGMENT_CONNECTION)))
    return;
  path.radiance = path.radiance + connection.radiance;
}

// Follows a path to the next surface and chooses the segment after it; or the path ends.
template <class Job>
DEVICE void take_segment(const Job& job, Path& path) {
  // Before traversal, which leaves a processor room to do this beside it.
  const BounceDraws draws = draw_for_bounce(path.sampler, path.bounce);
  Hit hit;
  if (!extend(job, path, hit)) return escape(job, path);
  const Connection connection = shade(job, path, hit, draws);
  connect(job, path, connection);
}

// The radiance that a path receives.
template <class Job>
DEVICE Float3 trace_path(const Job& job, Path& path) {
  while (path.is_alive) take_segment(job, path);
  return path.radiance;
}
