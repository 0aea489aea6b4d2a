// How wide a part of a texture a ray sees: the ray is a cone, as in Akenine-Möller et al. 2019,
// "Texture Level of Detail Strategies for Real-Time Ray Tracing", but it starts from a point at each
// surface. Its angle is that of a part of a pixel, and after scattering that of the solid angle which
// stands for a direction chosen with the density at hand.
//
// The cone is taken across the ray, not along the surface: what is seen from the side is not blurred,
// the samples of a pixel average it.
#pragma once
#include "path.cuh"
#include "textures/value.cuh"
#include "vertex_values.cuh"

// Of a pixel's width that one sample stands for: sixteen and more samples average the rest.
constexpr float SAMPLE_WIDTH = 0.25f;

// Width of the cone at distance one.
DEVICE float spread_of(const RenderJob& job, const Path& path) {
  if (path.bounce == 0) return SAMPLE_WIDTH * minimum(length(job.camera.dx), length(job.camera.dy));
  return SAMPLE_WIDTH / sqrtf(path.scatter_pdf);
}

// By how much a length on the triangle grows in the texture.
DEVICE float stretch_in_texture(const RenderJob& job, const Hit& hit,
                                const AtCorners<Float2>& uvs) {
  const Face& face = face_of(job, hit);
  Float3 first = face.edge[0], second = face.edge[1];
  if (!job.instance_faces[hit.instance].is_in_world) {
    const Transform& world_from_object = job.instances[hit.instance].world_from_object;
    first = transform_vector(world_from_object, first);
    second = transform_vector(world_from_object, second);
  }
  const float area = length(cross(first, second));
  const float in_texture = fabsf((uvs.b.x - uvs.a.x) * (uvs.c.y - uvs.a.y) -
                                 (uvs.b.y - uvs.a.y) * (uvs.c.x - uvs.a.x));
  return area > 0.0f ? sqrtf(in_texture / area) : 0.0f;
}

// hit.t is the distance; spread 0 sees a point. Without texture coordinates all is seen at their
// origin.
DEVICE TextureView view_of(const RenderJob& job, const Hit& hit, float spread) {
  TextureView view = {{job.images, job.texels, job.linear_of_srgb}, {0.0f, 0.0f}, 0.0f};
  if (!(job.meshes[job.instances[hit.instance].mesh].flags & MESH_HAS_UVS)) return view;
  const AtCorners<Float2> uvs = at_corners(job, hit, job.uvs);
  view.uv = interpolate(uvs, hit);
  if (spread > 0.0f) view.footprint = spread * hit.t * stretch_in_texture(job, hit, uvs);
  return view;
}
