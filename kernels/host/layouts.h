// Every struct that Python fills, described once.
#pragma once
#include "../bvh/ray.cuh"
#include "../bvh/trace_rays.cuh"
#include "../render_job.cuh"
#include "../wavefront.cuh"
#include "describe.h"
#include "shader_layouts.h"
#include "texture_layouts.h"

// Jobs of scenes in which something moves have the same layout.
using RenderQueuedJob = QueuedJob<RenderJob>;
using RenderWavefrontJob = WavefrontJob<RenderJob>;
static_assert(sizeof(RenderQueuedJob) == sizeof(QueuedJob<VaryingJob>) &&
              sizeof(RenderWavefrontJob) == sizeof(WavefrontJob<VaryingJob>));

inline std::vector<Layout> all_layouts() {
  std::vector<Layout> layouts = {
      DESCRIBE(Camera, "Camera", FIELD(Camera, origin), FIELD(Camera, corner), FIELD(Camera, dx),
               FIELD(Camera, dy), FIELD(Camera, origin_change), FIELD(Camera, corner_change),
               FIELD(Camera, dx_change), FIELD(Camera, dy_change)),
      DESCRIBE(Triangle, "Triangle", FIELD(Triangle, vertex), FIELD(Triangle, material)),
      DESCRIBE(Mesh, "Mesh", FIELD(Mesh, first_triangle), FIELD(Mesh, triangle_count),
               FIELD(Mesh, first_vertex), FIELD(Mesh, vertex_count), FIELD(Mesh, flags)),
      DESCRIBE(Instance, "Instance", FIELD(Instance, world_from_object),
               FIELD(Instance, object_from_world), FIELD(Instance, mesh),
               FIELD(Instance, first_material), FIELD(Instance, mask),
               STRUCT_FIELD(Instance, motion, "Motion")),
      DESCRIBE(Motion, "Motion", FIELD(Motion, first_key), FIELD(Motion, key_count)),
      DESCRIBE(Material, "Material", FIELD(Material, shader), FIELD(Material, parameters),
               FIELD(Material, emission), FIELD(Material, absence), FIELD(Material, surface_steps),
               FIELD(Material, emission_steps), FIELD(Material, opacity_steps)),
      DESCRIBE(Image, "Image", FIELD(Image, offset), FIELD(Image, width), FIELD(Image, height),
               FIELD(Image, level_count), FIELD(Image, channels), FIELD(Image, kind)),
      DESCRIBE(TextureStep, "TextureStep", FIELD(TextureStep, kind), FIELD(TextureStep, operands)),
      DESCRIBE(Light, "Light", FIELD(Light, kind), FIELD(Light, falloff), FIELD(Light, position),
               FIELD(Light, direction), FIELD(Light, color), FIELD(Light, cos_inner),
               FIELD(Light, cos_outer), FIELD(Light, fade_start), FIELD(Light, fade_stop),
               FIELD(Light, instance), FIELD(Light, triangle), FIELD(Light, probability)),
      DESCRIBE(RenderJob, "RenderJob", STRUCT_FIELD(RenderJob, accelerator, "Accelerator"),
               STRUCT_FIELD(RenderJob, camera, "Camera"), FIELD(RenderJob, faces),
               FIELD(RenderJob, instance_faces), FIELD(RenderJob, light_faces),
               FIELD(RenderJob, normals), FIELD(RenderJob, uvs), FIELD(RenderJob, triangles),
               FIELD(RenderJob, meshes), FIELD(RenderJob, instances),
               FIELD(RenderJob, material_slots), FIELD(RenderJob, materials),
               FIELD(RenderJob, parameters), FIELD(RenderJob, images), FIELD(RenderJob, texels),
               FIELD(RenderJob, linear_of_srgb), FIELD(RenderJob, texture_steps),
               FIELD(RenderJob, lights), FIELD(RenderJob, light_cdf),
               FIELD(RenderJob, light_guide), FIELD(RenderJob, light_buckets),
               FIELD(RenderJob, light_count), FIELD(RenderJob, emission_density),
               FIELD(RenderJob, environment), FIELD(RenderJob, film), FIELD(RenderJob, width),
               FIELD(RenderJob, height), FIELD(RenderJob, first_item), FIELD(RenderJob, item_count),
               FIELD(RenderJob, first_sample), FIELD(RenderJob, sample_count),
               FIELD(RenderJob, seed), FIELD(RenderJob, max_depth), FIELD(RenderJob, is_varying),
               FIELD(RenderJob, is_textured)),
      DESCRIBE(ExactSum, "ExactSum", FIELD(ExactSum, fraction), FIELD(ExactSum, whole)),
      DESCRIBE(FilmPixel, "FilmPixel", STRUCT_FIELD(FilmPixel, red, "ExactSum"),
               STRUCT_FIELD(FilmPixel, green, "ExactSum"),
               STRUCT_FIELD(FilmPixel, blue, "ExactSum"), FIELD(FilmPixel, count)),
      DESCRIBE(SampleQueue, "SampleQueue", FIELD(SampleQueue, radiances),
               FIELD(SampleQueue, taken), FIELD(SampleQueue, end)),
      DESCRIBE(RenderQueuedJob, "QueuedJob", STRUCT_FIELD(RenderQueuedJob, render, "RenderJob"),
               STRUCT_FIELD(RenderQueuedJob, queue, "SampleQueue"),
               FIELD(RenderQueuedJob, item_count)),
      DESCRIBE(QueueCounts, "QueueCounts", FIELD(QueueCounts, live), FIELD(QueueCounts, free),
               FIELD(QueueCounts, connections), FIELD(QueueCounts, of_shader)),
      DESCRIBE(Wavefront, "Wavefront", FIELD(Wavefront, paths), FIELD(Wavefront, hits),
               FIELD(Wavefront, connections), FIELD(Wavefront, samples), FIELD(Wavefront, live),
               FIELD(Wavefront, free), FIELD(Wavefront, shading), FIELD(Wavefront, counts),
               FIELD(Wavefront, slots), FIELD(Wavefront, wave)),
      DESCRIBE(RenderWavefrontJob, "WavefrontJob",
               STRUCT_FIELD(RenderWavefrontJob, render, "RenderJob"),
               STRUCT_FIELD(RenderWavefrontJob, queue, "SampleQueue"),
               STRUCT_FIELD(RenderWavefrontJob, wavefront, "Wavefront"),
               FIELD(RenderWavefrontJob, item_count)),
      DESCRIBE(Ray, "Ray", FIELD(Ray, origin), FIELD(Ray, direction), FIELD(Ray, t_min),
               FIELD(Ray, t_max)),
      DESCRIBE(Hit, "Hit", FIELD(Hit, t), FIELD(Hit, u), FIELD(Hit, v), FIELD(Hit, instance),
               FIELD(Hit, triangle)),
      DESCRIBE(Placement, "Placement", FIELD(Placement, object_from_world), FIELD(Placement, low),
               FIELD(Placement, high), FIELD(Placement, root), FIELD(Placement, first_instance),
               FIELD(Placement, mask), FIELD(Placement, flags),
               STRUCT_FIELD(Placement, motion, "Motion")),
      DESCRIBE(Accelerator, "Accelerator", FIELD(Accelerator, nodes), FIELD(Accelerator, blocks),
               FIELD(Accelerator, placements), FIELD(Accelerator, root),
               FIELD(Accelerator, placement_count), FIELD(Accelerator, keys)),
      DESCRIBE(TraceRaysJob, "TraceRaysJob", STRUCT_FIELD(TraceRaysJob, accelerator, "Accelerator"),
               FIELD(TraceRaysJob, rays), FIELD(TraceRaysJob, hits), FIELD(TraceRaysJob, occluded),
               FIELD(TraceRaysJob, item_count), FIELD(TraceRaysJob, mask)),
  };
  for (const Layout& shader : shader_layouts()) layouts.push_back(shader);
  for (const Layout& step : texture_layouts()) layouts.push_back(step);
  return layouts;
}
