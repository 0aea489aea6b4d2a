// From a point on the film to a ray.
#pragma once
#include "bvh/ray.cuh"
#include "render_job.cuh"

// film_point in pixels, origin upper left. The ray's direction has unit length, so that distances
// along it are lengths in the world.
DEVICE Ray camera_ray(const Camera& camera, Float2 film_point) {
  const Float3 toward = camera.corner + camera.dx * film_point.x + camera.dy * film_point.y;
  return {camera.origin, normalize(toward), 0.0f, FAR_AWAY};
}
