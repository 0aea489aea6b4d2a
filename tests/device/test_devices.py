"""One contract for every registered device; the pycuda device keeps it on a double (see there)."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from gpuqueue.device import DEVICES, Device, Work
from gpuqueue.errors import Interrupted, InvalidJob, OutOfMemory
from gpuqueue.scene import SceneBuffers

WIDTH, HEIGHT = 48, 32
PIXELS = WIDTH * HEIGHT
HERE = sorted(set(DEVICES) - {"pycuda"})
TRACING = sorted(set(HERE) - {"null"})

Open = Callable[[str], Device]


def work(samples: int = 4, first: int = 0, seed: int = 7) -> Work:
    return Work(0, PIXELS, first, samples, seed, max_depth=6)


def film_of(device: Device, scene: SceneBuffers, works: Iterable[Work]) -> np.ndarray:
    handle, film = device.upload(scene), device.new_film(scene.camera, WIDTH, HEIGHT)
    for part in works:
        device.render(handle, film, part)
    return device.read(film).copy()


@pytest.fixture(scope="module")
def reference(scene: SceneBuffers) -> np.ndarray:
    """The film of the CPU, to which every device is held."""
    from .conftest import SETTINGS

    return film_of(DEVICES.load("cpu")(SETTINGS), scene, [work()])


@pytest.mark.parametrize("name", HERE)
def test_a_device_says_what_it_is_and_how_much_memory_it_has(name: str, open_device: Open) -> None:
    device = open_device(name)
    assert device.name == name
    assert device.description
    memory = device.memory()
    assert 0 < memory.free <= memory.total


@pytest.mark.parametrize("name", HERE)
def test_a_new_film_has_no_samples(name: str, open_device: Open, camera: np.void) -> None:
    device = open_device(name)
    film = device.read(device.new_film(camera, 5, 3))
    assert film.dtype == np.float32
    np.testing.assert_array_equal(film, np.zeros((3, 5, 4)))


@pytest.mark.parametrize("name", HERE)
def test_every_pixel_counts_its_samples(name: str, open_device: Open, scene: SceneBuffers) -> None:
    film = film_of(open_device(name), scene, [work(3), work(2, first=3)])
    np.testing.assert_array_equal(film[..., 3], 5)


def test_the_reference_is_a_picture(reference: np.ndarray) -> None:
    assert np.isfinite(reference).all()
    assert (reference[..., :3].sum(axis=2) > 0).mean() > 0.1
    assert len(np.unique(reference[..., 0])) > 100


@pytest.mark.parametrize("name", TRACING)
def test_every_device_gives_the_bits_of_the_cpu(
    name: str, open_device: Open, scene: SceneBuffers, reference: np.ndarray
) -> None:
    np.testing.assert_array_equal(film_of(open_device(name), scene, [work()]), reference)


@pytest.mark.parametrize("name", TRACING)
@pytest.mark.parametrize(
    "split",
    [
        [work(1), work(2, first=1), work(1, first=3)],
        [
            Work(0, 256, 0, 4, 7, 6),
            Work(256, 700, 0, 3, 7, 6),
            Work(956, PIXELS - 956, 0, 4, 7, 6),
            Work(256, 700, 3, 1, 7, 6),
        ],
    ],
    ids=["by samples", "by pixels"],
)
def test_any_split_of_the_work_gives_the_same_bits(
    name: str, split: list[Work], open_device: Open, scene: SceneBuffers, reference: np.ndarray
) -> None:
    np.testing.assert_array_equal(film_of(open_device(name), scene, split), reference)


@pytest.mark.parametrize("name", TRACING)
def test_another_seed_gives_another_film_of_the_same_scene(
    name: str, open_device: Open, scene: SceneBuffers, reference: np.ndarray
) -> None:
    film = film_of(open_device(name), scene, [work(seed=8)])
    assert (film != reference).any()
    np.testing.assert_allclose(film.mean(axis=(0, 1)), reference.mean(axis=(0, 1)), rtol=0.2)


@pytest.mark.parametrize("name", TRACING)
def test_one_scene_serves_films_of_several_sizes(
    name: str, open_device: Open, scene: SceneBuffers
) -> None:
    device = open_device(name)
    handle = device.upload(scene)
    for width, height in [(1, 1), (33, 17)]:
        film = device.new_film(scene.camera, width, height)
        device.render(handle, film, Work(0, width * height, 0, 2, 0, 6))
        assert device.read(film).shape == (height, width, 4)
        np.testing.assert_array_equal(device.read(film)[..., 3], 2)


@pytest.mark.parametrize("name", TRACING)
def test_a_scene_that_the_kernels_cannot_take_is_the_jobs_fault(
    name: str, open_device: Open, scene: SceneBuffers
) -> None:
    triangles = scene.triangles.copy()
    triangles["vertex"][0, 0] = 1 << 20
    with pytest.raises(InvalidJob, match="the kernels cannot take the scene: "):
        open_device(name).upload(replace(scene, triangles=triangles))


def large(scene: SceneBuffers) -> SceneBuffers:
    """With the triangles of the first mesh so often that building takes a while."""
    first = scene.triangles[: scene.meshes["triangle_count"][0]]
    meshes = scene.meshes.copy()
    triangles = np.concatenate([scene.triangles, np.tile(first, 1_000_000 // len(first))])
    meshes["first_triangle"][0] = len(scene.triangles)
    meshes["triangle_count"][0] = len(triangles) - len(scene.triangles)
    return replace(
        scene, meshes=meshes, triangles=triangles, cut=np.zeros(len(triangles), scene.cut.dtype)
    )


@pytest.mark.parametrize("name", TRACING)
def test_an_upload_tells_how_far_it_is_and_ends_with_what_is_raised_then(
    name: str, open_device: Open, scene: SceneBuffers
) -> None:
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if share > 0.1:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        open_device(name).upload(large(scene), stop)
    assert told == sorted(told)
    assert 0.1 < told[-1] < 1


@pytest.mark.parametrize("name", TRACING)
def test_a_film_that_does_not_fit_is_refused_with_the_numbers(
    name: str, open_device: Open, camera: np.void
) -> None:
    device = open_device(name)
    side = 1 << 25
    with pytest.raises(
        OutOfMemory, match=r"a film of 33554432 x .* needs 117440512\.0 GiB, but .* free of .*Use a"
    ):
        device.new_film(camera, side, side)
