// Path tracing in waves: each stage of the integrator is a kernel over all paths that wait for it.
// Laine, Karras and Aila 2013, "Megakernels Considered Harmful". A path in flight has a slot; queues
// of slots lead from stage to stage, and a place in a queue comes from a counter, so that the
// threads of a stage are dense however few paths are left. What the order in a queue is does not
// matter: a path meets nobody, and its radiance has a place of its own (sample_queue.cuh).
//
// One wave: generate_paths (free slots take samples), extend_paths, shade_paths, connect_paths, each
// over item_count items. After a wave that leaves no live path, with all of the batch's samples
// handed out, every radiance is in its place.
#pragma once
#include "sample_queue.cuh"
#include "word_array.cuh"

constexpr uint32_t SHADER_KINDS = Shaders::COUNT;
constexpr uint32_t WARP = 32;

// How many slots wait in each queue.
struct QueueCounts {
  uint32_t live, free, connections;
  uint32_t of_shader[SHADER_KINDS];
};

struct PendingConnection {
  Connection connection;
  uint32_t slot;
  uint32_t ends_path;
};

// All arrays are as long as there are slots. Two queues of a kind serve the waves by turns: a wave
// fills those of the next one while it empties its own. Counters are three, since a wave also clears
// those of the wave after the next.
struct Wavefront {
  uint32_t* paths;        // WordArray<Path>
  uint32_t* hits;         // WordArray<Hit>
  uint32_t* connections;  // WordArray<PendingConnection>, by place in the queue
  uint32_t* samples;      // which sample a slot's path is
  uint32_t* live;         // [2, slots]: paths with a segment to take
  uint32_t* free;         // [2, slots]
  uint32_t* shading;      // [SHADER_KINDS, slots]: hits by the shader of what was hit
  QueueCounts* counts;    // [3]
  uint32_t slots;
  uint32_t wave;  // counts up
};

template <class Render>
struct WavefrontJob {
  Render render;
  SampleQueue queue;
  Wavefront wavefront;
  uint32_t item_count;  // at least items_of_wave(slots)
};

// The queues of the shaders lie end to end, each from a new warp on.
DEVICE uint32_t items_of_wave(uint32_t slots) { return slots + SHADER_KINDS * WARP; }

// A WavefrontJob's arrays as the stages use them.
struct Wave {
  const Wavefront& at;
  WordArray<Path> paths;
  WordArray<Hit> hits;
  WordArray<PendingConnection> connections;
  QueueCounts &now, &next, &after_next;

  DEVICE uint32_t* live_now() const { return at.live + at.wave % 2 * at.slots; }
  DEVICE uint32_t* live_next() const { return at.live + (at.wave + 1) % 2 * at.slots; }
  DEVICE uint32_t* free_now() const { return at.free + at.wave % 2 * at.slots; }
  DEVICE uint32_t* free_next() const { return at.free + (at.wave + 1) % 2 * at.slots; }
  DEVICE uint32_t* shading(uint32_t kind) const { return at.shading + kind * at.slots; }
};

DEVICE Wave wave_of(const Wavefront& w) {
  return {w,
          {w.paths, w.slots},
          {w.hits, w.slots},
          {w.connections, w.slots},
          w.counts[w.wave % 3],
          w.counts[(w.wave + 1) % 3],
          w.counts[(w.wave + 2) % 3]};
}

// Puts the slots of those lanes that have one for it into a queue. All lanes of a warp call it.
DEVICE void push(uint32_t* queue, uint32_t& count, uint32_t slot, bool has_one) {
  const uint32_t place = take_number(count, has_one);
  if (has_one) queue[place] = slot;
}

template <class Render>
DEVICE void finish(const WavefrontJob<Render>& job, uint32_t slot, const Path& path) {
  job.queue.radiances[job.wavefront.samples[slot]] = path.radiance;
}

// Before the first wave of all: every slot is free, no sample taken.
template <class Render>
DEVICE void begin_wavefront_at(const WavefrontJob<Render>& job, uint32_t slot) {
  const Wave wave = wave_of(job.wavefront);
  if (slot < wave.at.slots) wave.free_now()[slot] = slot;
  if (slot != 0) return;
  wave.now = wave.next = {};
  wave.now.free = wave.at.slots;
  *job.queue.taken = 0;
}

// Free slots take samples; those that find none left stay free.
template <class Render>
DEVICE void generate_in_wave(const WavefrontJob<Render>& job, uint32_t item) {
  const Wave wave = wave_of(job.wavefront);
  if (item == 0) wave.after_next = {};
  const bool is_free = item < wave.now.free;
  const TakenSample taken = take_sample(job.queue, is_free);
  const uint32_t slot = is_free ? wave.free_now()[item] : 0;
  if (taken.is_one) {
    job.wavefront.samples[slot] = taken.number;
    wave.paths.set(slot, path_of_sample(job.render, taken.number));
  }
  push(wave.live_now(), wave.now.live, slot, taken.is_one);
  push(wave.free_next(), wave.next.free, slot, is_free && !taken.is_one);
}

// The queue for the shader of what was hit. Which one changes no result: it only gives the threads
// of a warp the same work.
DEVICE uint32_t kind_of_hit(const RenderJob& job, const Hit& hit) {
  const uint32_t shader = material_at(job, hit).shader;
  return shader < SHADER_KINDS ? shader : SHADER_KINDS - 1;
}

template <class Render>
DEVICE void extend_in_wave(const WavefrontJob<Render>& job, uint32_t item) {
  const Wave wave = wave_of(job.wavefront);
  const bool is_live = item < wave.now.live;
  const uint32_t slot = is_live ? wave.live_now()[item] : 0;
  uint32_t kind = SHADER_KINDS;
  if (is_live) {
    Hit hit;
    if (extend(job.render, wave.paths[slot], hit)) {
      wave.hits.set(slot, hit);
      kind = kind_of_hit(job.render, hit);
    } else {
      // Read again, rather than kept in registers while the ray is traced.
      Path path = wave.paths[slot];
      escape(job.render, path);
      finish(job, slot, path);
    }
  }
  push(wave.free_next(), wave.next.free, slot, is_live && kind == SHADER_KINDS);
  for (uint32_t i = 0; i < SHADER_KINDS; i++)
    push(wave.shading(i), wave.now.of_shader[i], slot, kind == i);
}

struct QueuePlace {
  uint32_t kind, place;
};

DEVICE QueuePlace place_of_item(const QueueCounts& counts, uint32_t item) {
  uint32_t kind = 0;
  for (; kind < SHADER_KINDS; kind++) {
    const uint32_t whole_warps = (counts.of_shader[kind] + WARP - 1) / WARP * WARP;
    if (item < whole_warps) break;
    item -= whole_warps;
  }
  return {kind, item};
}

template <class Render>
DEVICE void shade_in_wave(const WavefrontJob<Render>& job, uint32_t item) {
  const Wave wave = wave_of(job.wavefront);
  const QueuePlace at = place_of_item(wave.now, item);
  const bool is_hit = at.kind < SHADER_KINDS && at.place < wave.now.of_shader[at.kind];
  PendingConnection pending = {};
  bool lives = false, connects = false;
  if (is_hit) {
    pending.slot = wave.shading(at.kind)[at.place];
    Path path = wave.paths[pending.slot];
    pending.connection = shade(job.render, path, wave.hits[pending.slot],
                               draw_for_bounce(path.sampler, path.bounce));
    lives = path.is_alive;
    connects = !is_black(pending.connection.radiance);
    pending.ends_path = !lives;
    wave.paths.set(pending.slot, path);
    if (!lives && !connects) finish(job, pending.slot, path);
  }
  push(wave.live_next(), wave.next.live, pending.slot, lives);
  push(wave.free_next(), wave.next.free, pending.slot, is_hit && !lives);
  const uint32_t place = take_number(wave.now.connections, connects);
  if (connects) wave.connections.set(place, pending);
}

template <class Render>
DEVICE void connect_in_wave(const WavefrontJob<Render>& job, uint32_t item) {
  const Wave wave = wave_of(job.wavefront);
  if (item >= wave.now.connections) return;
  const PendingConnection pending = wave.connections[item];
  Path path = wave.paths[pending.slot];
  connect(job.render, path, pending.connection);
  if (pending.ends_path)
    finish(job, pending.slot, path);
  else
    wave.paths.set(pending.slot, &Path::radiance, path.radiance);
}
