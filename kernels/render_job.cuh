// Everything a launch needs, in one struct that is passed by value.
#pragma once
#include "bvh/accelerator.cuh"
#include "face.cuh"
#include "film.cuh"
#include "scene_types.cuh"

struct Image;
struct TextureStep;

struct RenderJob {
  static constexpr bool varies = false, textured = false;

  Accelerator accelerator;
  Camera camera;

  const Face* faces;
  const InstanceFaces* instance_faces;  // [instances]
  const Face* light_faces;  // [light_count], in world space
  const Float3* normals;    // [vertices], as are uvs
  const Float2* uvs;
  const Triangle* triangles;
  const Mesh* meshes;
  const Instance* instances;
  const uint32_t* material_slots;  // indices into materials
  const Material* materials;
  const uint8_t* parameters;  // of all materials; every offset a multiple of 4

  const Image* images;
  const uint8_t* texels;                // of all images, from a multiple of 16 on
  const float* linear_of_srgb;          // [256]: of a byte
  const TextureStep* texture_steps;     // of all textures; their operands are in parameters

  const Light* lights;
  const float* light_cdf;       // [light_count]
  const uint32_t* light_guide;  // [light_buckets]: first light with light_cdf > bucket / buckets
  uint32_t light_buckets;       // a power of two
  uint32_t light_count;
  float emission_density;  // see Light; 0: emissive triangles are not in the list of lights
  Float3 environment;      // radiance from everywhere beyond the scene

  FilmPixel* film;         // [height * width], added to
  uint32_t width, height;  // an image window is a smaller film with the camera's corner moved
  uint32_t first_item, item_count;  // an item is a pixel: width * height in all, see film.cuh
  uint32_t first_sample, sample_count, seed;
  // Longest path in segments from the eye to the light: 1 sees emitters, 2 adds direct light.
  uint32_t max_depth;
  uint32_t is_varying;  // something moves or is cut out: render_varying is the kernel to launch
  uint32_t is_textured;  // a material has a texture: render_textured is, whatever varies
};

// The same for scenes in which something moves or is cut out. What a kernel calls is made for either by this type
// alone, so that the others pay nothing.
struct VaryingJob : RenderJob {
  static constexpr bool varies = true;
};
struct TexturedJob : VaryingJob {
  static constexpr bool textured = true;
};
static_assert(sizeof(RenderJob) < 4096, "kernel parameters are limited to 4 KB");
