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

// The camera as it stands at a time of the shutter's opening, 0 to 1.
DEVICE Camera camera_at(const Camera& camera, float time) {
  Camera moved = camera;
  moved.origin = camera.origin + camera.origin_change * time;
  moved.corner = camera.corner + camera.corner_change * time;
  moved.dx = camera.dx + camera.dx_change * time;
  moved.dy = camera.dy + camera.dy_change * time;
  return moved;
}
