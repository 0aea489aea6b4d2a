// The scene as the kernels read it: plain structs, filled by Python from the layouts that the CPU
// module reports (host/layouts.h). Pointers are device addresses of the build at hand.
#pragma once
#include "bvh/moving_transform.cuh"
#include "vec.cuh"

// A film point (x, y) in pixels, origin upper left, sees direction corner + x dx + y dy from
// origin; the direction need not have unit length. World space. These hold where the shutter opens;
// until it closes the changes are added, which are zero for a camera that stands still.
struct Camera {
  Float3 origin, corner, dx, dy;
  Float3 origin_change, corner_change, dx_change, dy_change;
};

// Corners are vertices of the mesh, counter-clockwise seen from the front; material is a slot of
// the instance's material list.
struct Triangle {
  uint32_t vertex[3];
  uint32_t material;
};

enum MeshFlags : uint32_t { MESH_HAS_NORMALS = 1, MESH_HAS_UVS = 2 };

// A range of the scene's triangles and vertices. Triangle::vertex counts from first_vertex. Positions,
// normals and uvs are parallel arrays over all vertices; those of a mesh without the flag are not
// read, and an array that no mesh needs may be null. Normals need no unit length.
struct Mesh {
  uint32_t first_triangle, triangle_count;
  uint32_t first_vertex, vertex_count;
  uint32_t flags;
};

enum InstanceMask : uint32_t { VISIBLE_TO_CAMERA = 1, VISIBLE_TO_PATHS = 2, CASTS_SHADOW = 4 };

// A mesh placed in the world. The material of a triangle is
// scene.material_slots[first_material + triangle.material].
struct Instance {
  Transform world_from_object, object_from_world;  // of a moving one, its first key
  uint32_t mesh;
  uint32_t first_material;
  uint32_t mask;
  Motion motion;
};

// One surface: a shader of the list in shaders.cuh and its parameters, at a byte offset of the
// scene's parameter block. Emission is radiance, from the front side only.
//
// absence, 0 to 1, is the share of rays that find nothing where the surface is: 1 - its opacity.
//
// Textures are steps (textures/steps.cuh) from a place in RenderJob::texture_steps on; at place 0
// there are none. They set parameters of the shader, what the emission is times, and the opacity.
struct Material {
  uint32_t shader;
  uint32_t parameters;
  Float3 emission;
  float absence;
  uint32_t surface_steps, emission_steps, opacity_steps;
};

enum LightKind : uint32_t { LIGHT_TRIANGLE, LIGHT_POINT, LIGHT_SPOT, LIGHT_DIRECTIONAL };
enum LightFalloff : uint32_t {
  FALLOFF_INVERSE_SQUARE,  // color is intensity, W/sr: irradiance = color cos / r^2
  FALLOFF_NONE,            // color is irradiance at any distance, times cos
  FALLOFF_LINEAR,          // as NONE, fading from fade_start to nothing at fade_stop
};

// One thing to connect to. Triangle: instance and triangle (counted in its mesh), color is the
// emission of its material. Point and spot: position; spot and directional: direction in which light
// travels, unit length. A spot is full inside cos_inner and ends at cos_outer; for a directional
// light color is irradiance, and falloff means nothing.
//
// probability is the chance of choosing this light; light_cdf[i] = probability of lights 0 to i, the
// last 1. A scattered ray that finds an emissive triangle must know that triangle's probability
// without looking for it in the list. Hence the rule for triangles:
//   probability = emission_density * luminance(emission) * area in the world,
// with one emission_density (RenderJob) for the whole scene, and a light for every instance and
// emissive triangle. Lights without extent may have any share. With triangles only,
// emission_density = 1 / sum of luminance * area. The area of a triangle that moves is that of its
// first key.
struct Light {
  uint32_t kind, falloff;
  Float3 position, direction, color;
  float cos_inner, cos_outer;
  float fade_start, fade_stop;
  uint32_t instance, triangle;
  float probability;
};
