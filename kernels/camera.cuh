// From points on the film to rays.
#pragma once
#include "bvh/ray.cuh"
#include "render_job.cuh"
#include "simd.cuh"

// film_point in pixels, origin upper left. The ray's direction has unit length, so that distances
// along it are lengths in the world.
DEVICE Ray camera_ray(const Camera& camera, Float2 film_point) {
  const Float3 toward = camera.corner + camera.dx * film_point.x + camera.dy * film_point.y;
  return {camera.origin, normalize(toward), 0.0f, FAR_AWAY};
}

// The directions of camera_ray for N points on the film.
template <int N>
DEVICE Lanes3<N> camera_directions(const Camera& camera, Lanes<N> film_x, Lanes<N> film_y) {
  const auto axis = [&](float corner, float dx, float dy) {
    return all_lanes<N>(corner) + all_lanes<N>(dx) * film_x + all_lanes<N>(dy) * film_y;
  };
  const Lanes<N> x = axis(camera.corner.x, camera.dx.x, camera.dy.x),
                 y = axis(camera.corner.y, camera.dx.y, camera.dy.y),
                 z = axis(camera.corner.z, camera.dx.z, camera.dy.z);
  const Lanes<N> scale = all_lanes<N>(1.0f) / square_root(x * x + y * y + z * z);
  return {x * scale, y * scale, z * scale};
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
