// The point where a path meets the scene.
#pragma once
#include "moving_face.cuh"
#include "surface_textures.cuh"

struct Surface {
  Float3 position;
  Float3 normal;  // of the triangle, unit length, on the viewer's side
  float error;    // how far the position may be off along the normal
  Frame frame;    // around the interpolated normal, on the viewer's side
  Float2 uv;
  bool front;  // the viewer is on the triangle's front
  Float3 emission;
  Float3 glow;           // what textures make of the emission: it is times this
  float emission_share;  // of the light table's density that holds here, see Light
  ShaderCall shader;
};

// The interpolated normal, bent so far that the mirror direction stays above the triangle, as the
// viewer does: reflections then neither leak through nor turn black at silhouettes. After Keller et
// al. 2017, "The Iray Light Transport Simulation and Rendering System".
DEVICE Float3 consistent_normal(Float3 shading, Float3 normal, Float3 outgoing) {
  const Float3 reflected = shading * (2.0f * dot(shading, outgoing)) - outgoing;
  const float height = dot(normal, reflected);
  const float least = minimum(0.9f * dot(normal, outgoing), 0.01f);
  if (height >= least) return shading;
  return normalize(outgoing + normalize(reflected + normal * (least - height)));
}

template <class Job>
DEVICE Float3 normal_to_world(const Job& job, const Hit& hit, float time, Float3 normal) {
  const Instance& instance = job.instances[hit.instance];
  if constexpr (Job::varies) {
    if (moves(instance))
      return transform_normal(
          pose_at(job.accelerator.keys, instance.motion, time).object_from_world, normal);
  }
  return transform_normal(instance.object_from_world, normal);
}

template <class Job>
DEVICE Float3 shading_normal(const Job& job, const Hit& hit, float time, Float3 normal,
                             Float3 outgoing) {
  const Float3 smooth =
      normal_to_world(job, hit, time, interpolate(at_corners(job, hit, job.normals), hit));
  const float size = length(smooth), side = dot(smooth, normal) < 0.0f ? -1.0f : 1.0f;
  if (size < 1e-12f) return normal;
  return consistent_normal(smooth * (side / size), normal, outgoing);
}

template <class Job>
DEVICE SurfacePoint hit_point(const Job& job, const InstanceFaces& faces, const Face& face,
                              const Hit& hit, float time) {
  const Instance& instance = job.instances[hit.instance];
  if constexpr (Job::varies) {
    if (moves(instance)) return moved_point(job, hit.instance, hit.triangle, {hit.u, hit.v}, time);
  }
  return {placed_point(face, faces, instance, hit), 1.0f};
}

// Parameters of a shader that textures set; nothing where there are none.
template <class Job>
struct ShaderPlaces {
  alignas(16) float places[Job::textured ? PARAMETER_PLACES : 1];
};

// The path's time and ray are those of the segment that hit. kept: outlives the surface.
template <class Job>
DEVICE Surface surface_at(const Job& job, const Path& path, const Hit& hit,
                          ShaderPlaces<Job>& kept) {
  const Ray& ray = path.ray;
  const float time = path.time;
  const InstanceFaces& faces = job.instance_faces[hit.instance];
  const Face& face = face_of(job, hit);
  const SurfacePoint met = hit_point(job, faces, face, hit, time);
  const FacePoint& point = met.point;
  const Material& material = material_at(job, hit);
  Surface s;
  s.position = point.position;
  s.error = point.error;
  s.front = dot(point.normal, ray.direction) < 0.0f;
  s.normal = s.front ? point.normal : -point.normal;
  s.frame = frame_around(face.mesh_flags & MESH_HAS_NORMALS
                             ? shading_normal(job, hit, time, s.normal, -ray.direction)
                             : s.normal);
  s.uv = face.mesh_flags & MESH_HAS_UVS ? interpolate(at_corners(job, hit, job.uvs), hit)
                                        : Float2{0.0f, 0.0f};
  s.emission = material.emission;
  s.glow = splat(1.0f);
  s.emission_share = met.emission_share;
  s.shader = {material.shader, job.parameters + material.parameters};
  if constexpr (Job::textured) {
    const float spread = spread_of(job, path);
    s.glow = glow_at(job, material, hit, spread);
    s.shader = textured(job, material, hit, spread, kept.places);
  }
  return s;
}

// Whether shading normal and triangle agree about the side that a direction is on; where they do
// not, light would leak through.
DEVICE bool same_side(const Surface& s, Float3 direction, Float3 local) {
  return dot(s.normal, direction) * local.z > 0.0f;
}
