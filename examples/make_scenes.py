"""Write the generated scenes of this folder: ``python examples/make_scenes.py``.

The scenes are kept beside this script, so that nobody needs to run it to render them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from leaf_pictures import write_pictures
from mi_writer import (
    Array,
    MeshData,
    blob,
    instance,
    instgroup,
    lathe,
    look_at,
    material,
    numbers,
    polygons,
    rotate,
    scale,
    shader,
    smooth_normals,
    sphere,
    textured_polygons,
    torus,
    torus_knot,
    translate,
    trilist,
)

SCENES = Path(__file__).parent / "scenes"


def camera(
    eye: list[float], target: list[float], size: tuple[int, int], focal: float, sky: str
) -> str:
    """A camera of 36 mm film and its instance, "camera"."""
    width, height = size
    return (
        f'camera "view"\n    focal {focal}\n    aperture 36\n    aspect {width / height:.6f}\n'
        f"    resolution {width} {height}\n    environment {sky}\nend camera\n"
        + instance("camera", "view", look_at(eye, target))
    )


def panel(name: str, place: Array, u: float, v: float, watts: list[float]) -> str:
    """A rectangular lamp that shines along -y of `place`, and its instance."""
    return (
        f'light "{name} lamp"\n    {shader("physical_light", color=watts)}\n'
        f"    rectangle {numbers([u, 0, 0])} {numbers([0, 0, v])}\nend light\n"
        + instance(name, f"{name} lamp", place)
    )


def aim(place: list[float]) -> Array:
    """A panel at `place` that shines at the origin."""
    return look_at(place, [0, 0, 0]) @ rotate(0, 90)


def header(title: str, samples: int, depth: int) -> str:
    """The first lines of a scene."""
    return (
        f"# {title}\n# Written by make_scenes.py.\n\n"
        f'options "quality"\n    trace depth {depth} {depth} {depth}\n'
        f'    "samples max" {samples}\nend options\n\n'
    )


def metal(name: str, color: list[float], gloss: float) -> str:
    """Polished or brushed metal."""
    return material(
        name,
        shader(
            "mia_material",
            diffuse_weight=0,
            diffuse=color,
            reflectivity=1,
            refl_gloss=gloss,
            refl_is_metal="on",
            brdf_0_degree_refl=0.92,
            brdf_90_degree_refl=1,
        ),
    )


def glossy(name: str, color: list[float], gloss: float = 1.0, r0: float = 0.05) -> str:
    """Lacquer: a matt colour under a clear coat."""
    return material(
        name,
        shader(
            "mia_material",
            diffuse_weight=1,
            diffuse=color,
            reflectivity=1,
            refl_gloss=gloss,
            brdf_0_degree_refl=r0,
            brdf_90_degree_refl=1,
        ),
    )


def glass(name: str, color: list[float], ior: float = 1.5) -> str:
    """Clear glass; the colour is what one unit of length lets through."""
    return material(name, shader("dielectric_material", col=color, ior=ior))


def matt(name: str, color: list[float]) -> str:
    """A Lambert surface."""
    return material(name, shader("mib_illum_lambert", diffuse=color))


class Parts:
    """Text of a scene as it grows, and the names of the instances so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.members: list[str] = []

    def add(self, text: str) -> None:
        """Add statements."""
        self.text += text

    def place(self, element: str, matrix: Array, surface: str = "") -> None:
        """Add an instance to the scene's root group."""
        name = f"{element} {len(self.members)}"
        self.text += instance(name, element, matrix, surface)
        self.members.append(name)

    def light(self, name: str, matrix: Array, u: float, v: float, watts: list[float]) -> None:
        """Add a panel to the root group."""
        self.text += panel(name, matrix, u, v, watts)
        self.members.append(name)

    def write(self, file: str) -> None:
        """Close the root group and write the scene."""
        self.text += instgroup("world", ["camera", *self.members])
        self.text += 'render "world" "camera" "quality"\n'
        (SCENES / file).write_text(self.text)


def floor(name: str, y: float, half: float) -> str:
    """A square that faces up."""
    corners = [[-half, y, half], [half, y, half], [half, y, -half], [-half, y, -half]]
    return polygons(name, corners, [[0, 1, 2, 3]])


def eye() -> None:
    """An eye of glass, metal and lacquer."""
    s = Parts(header("An eye of glass, metal and lacquer.", 96, 12))
    s.add(
        camera(
            [1.5, 0.75, 7.3],
            [0.0, -0.12, 0.0],
            (800, 450),
            48,
            shader("one_color", color=[0.2, 0.25, 0.34]),
        )
    )
    eye_materials(s)
    eye_shapes(s)
    eye_instances(s)
    s.light("key", aim([-4.4, 5.2, 4.4]), 5, 4.4, [560, 540, 500])
    s.light("rim", aim([5.8, 1.6, 0.4]), 3, 5, [250, 140, 70])
    s.write("meyemII.mi")


def eye_materials(s: Parts) -> None:
    """Porcelain, glass, lacquer, and metals in the colours of an iris."""
    s.add(glossy("porcelain", [0.82, 0.8, 0.77]) + matt("dark", [0.015, 0.02, 0.03]))
    s.add(
        glossy("pupil", [0.004, 0.004, 0.005], r0=0.08) + glass("cornea", [0.97, 0.985, 0.99], 1.38)
    )
    s.add(metal("gold", [1.0, 0.72, 0.29], 0.72) + metal("chrome", [0.9, 0.91, 0.93], 1.0))
    s.add(glass("amber", [0.92, 0.52, 0.14]) + glossy("coral", [0.7, 0.13, 0.08]))
    s.add(matt("teal", [0.10, 0.16, 0.2]) + glossy("slate", [0.05, 0.055, 0.065], 0.85))
    hues = [[0.02, 0.32, 0.4], [0.03, 0.45, 0.42], [0.08, 0.25, 0.5], [0.55, 0.38, 0.08]]
    s.add("".join(metal(f"iris {i}", hue, 0.7) for i, hue in enumerate(hues)))


def eye_shapes(s: Parts) -> None:
    """A ball with a bowl in its opening, and a lens over it.

    The lens is a flat bowl below and a dome above, in two pieces so that its edge stays sharp.
    """
    opening = np.arcsin(0.6)
    angles = np.linspace(-np.pi / 2, np.pi / 2 - opening, 36)
    ball = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rim = np.arange(0, 1.001, 0.1)
    bowl = np.stack([0.6 * (1 - rim), 0.8 - 0.18 * np.sin(rim * np.pi / 2)], axis=1)
    front = np.linspace(0, 1, 20)
    lens = [[r, 0.7 + 0.1 * r * r] for r in 0.6 * front]
    lens += [[0.6 * np.cos(t), 0.8 + 0.3 * np.sin(t)] for t in np.linspace(0, np.pi / 2, 24)[1:]]
    s.add(trilist("ball", lathe(ball, 64)) + trilist("bowl", lathe(bowl)))
    s.add(trilist("lens back", lathe(lens[:20])) + trilist("lens front", lathe(lens[19:])))
    s.add(trilist("bead", sphere(36)) + trilist("ring", torus(0.64, 0.05)))
    s.add(trilist("orbit", torus(1.36, 0.055, 96)) + floor("table", -1.3, 9))
    s.add(
        polygons(
            "backdrop", [[-14, -6, -4], [14, -6, -4], [14, 10, -4], [-14, 10, -4]], [[0, 1, 2, 3]]
        )
    )


def eye_instances(s: Parts) -> None:
    """The eye, its iris of two rings of petals, and what surrounds it."""
    gaze = rotate(1, 6) @ rotate(0, -2)
    forward = gaze @ rotate(0, 90)  # lathes stand along y; the eye looks along z
    s.place("ball", forward, "porcelain")
    s.place("bowl", forward, "dark")
    s.place("lens back", forward, "cornea")
    s.place("lens front", forward, "cornea")
    s.place("ring", gaze @ translate(0, 0, 0.79), "gold")
    s.place("bead", gaze @ translate(0, 0, 0.58) @ scale(0.19, 0.19, 0.1), "pupil")
    for i in range(72):
        ring = i % 2
        petal = translate(0.36 + 0.06 * ring, 0, 0.675 + 0.03 * ring) @ rotate(1, -14)
        shape = petal @ scale(0.17 - 0.05 * ring, 0.019, 0.025)
        s.place("bead", gaze @ rotate(2, 5 * i) @ shape, f"iris {i * 7 % 4}")
    s.place("orbit", rotate(0, 76) @ rotate(1, 9), "chrome")
    lashes(s)
    s.place("table", np.eye(4), "slate")
    s.place("backdrop", np.eye(4), "teal")


def lashes(s: Parts) -> None:
    """Beads along the two arcs of an almond around the eye."""
    count = 17
    for side in (1, -1):
        for i in range(count):
            t = i / (count - 1) * 2 - 1
            x, y = 1.95 * t, side * 1.12 * (1 - t * t) ** 0.85
            if side < 0 and abs(t) == 1:
                continue
            size = 0.115 - 0.05 * abs(t)
            surface = ("gold", "amber", "chrome", "coral")[(i + (side < 0)) % 4]
            s.place("bead", translate(x, y, 0.25 - 0.45 * t * t) @ scale(size), surface)


def glass_and_metal() -> None:
    """Glass and metal under an even sky."""
    s = Parts(header("Glass and metal under an even sky.", 128, 16))
    s.add(
        camera(
            [0.5, 3.4, 11.8],
            [0.1, 1.12, 0],
            (800, 450),
            50,
            shader("one_color", color=[0.72, 0.79, 0.88]),
        )
    )
    s.add(matt("sand", [0.42, 0.41, 0.4]) + glass("clear", [0.985, 0.99, 0.99]))
    s.add(glass("green glass", [0.55, 0.9, 0.68]) + glass("blue glass", [0.45, 0.7, 0.95]))
    s.add(metal("gold", [1.0, 0.71, 0.29], 0.75) + metal("copper", [0.95, 0.55, 0.38], 0.62))
    s.add(metal("chrome", [0.9, 0.91, 0.92], 1.0) + metal("steel", [0.5, 0.51, 0.53], 0.55))
    s.add(glossy("red lacquer", [0.55, 0.04, 0.03]) + matt("slate", [0.2, 0.24, 0.3]))
    s.add(trilist("vase", vase()))
    s.add(trilist("ball", sphere(56)) + trilist("knot", torus_knot(2, 3, 0.52)))
    s.add(trilist("ring", torus(0.62, 0.2, 64, 24)) + floor("ground", 0, 40))
    s.add(polygons("wall", [[-40, 0, -9], [40, 0, -9], [40, 7, -9], [-40, 7, -9]], [[0, 1, 2, 3]]))
    still_life(s)
    s.light("window", aim([-6.5, 6.5, 3.0]), 6, 6, [650, 600, 520])
    s.write("glass_metal.mi")


def vase() -> MeshData:
    """A vase with a wall: its profile goes up outside and down inside."""
    outside = [[0.0, 0.0], [0.5, 0.0], [0.62, 0.05], [0.72, 0.3], [0.78, 0.7], [0.68, 1.2]]
    outside += [[0.46, 1.6], [0.36, 1.85], [0.4, 2.05], [0.5, 2.2]]
    inside = [[r - 0.05, y + 0.04] for r, y in reversed(outside[3:])]
    return lathe(smoothed([*outside, *inside, [0.6, 0.14], [0.4, 0.09], [0.0, 0.08]]), 64)


def still_life(s: Parts) -> None:
    """Where everything stands."""
    s.place("ground", np.eye(4), "sand")
    s.place("wall", np.eye(4), "slate")
    s.place("vase", translate(-2.7, 0, 0.2), "clear")
    s.place("knot", translate(0.1, 1.42, -1.0) @ rotate(1, 24) @ scale(0.53), "gold")
    s.place("ball", translate(2.55, 0.95, -0.2) @ scale(0.95), "chrome")
    s.place("ball", translate(-0.95, 0.5, 1.7) @ scale(0.5), "clear")
    s.place("ball", translate(0.5, 0.36, 2.3) @ scale(0.36), "red lacquer")
    s.place("ring", translate(1.55, 0.2, 1.75) @ rotate(0, 90), "copper")
    s.place("ball", translate(1.55, 0.33, 1.75) @ scale(0.33), "green glass")
    s.place("ball", translate(-2.0, 0.3, 2.0) @ scale(0.3), "steel")
    s.place("ball", translate(3.0, 0.28, 1.7) @ scale(0.28), "blue glass")


def smoothed(points: list[list[float]]) -> Array:
    """Corners cut twice (Chaikin 1974); the ends stay."""
    curve = np.array(points)
    for _ in range(2):
        a, b = curve[:-1], curve[1:]
        middle = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        curve = np.vstack([curve[:1], middle, curve[-1:]])
    return curve


def forest() -> None:
    """Thousands of instances of a few meshes, through groups of groups."""
    s = Parts(
        header("A forest: thousands of instances of a few meshes, through groups of groups.", 64, 6)
    )
    s.add(
        camera(
            [9, 6.2, 47],
            [3.5, 3.2, 20],
            (800, 450),
            34,
            shader("one_color", color=[0.42, 0.58, 0.85]),
        )
    )
    s.add('light "sun light"\n    "mib_light_infinite" ("color" 1.5 1.32 1.0)\n')
    s.add("    direction -0.62 -0.6 -0.35\nend light\n" + instance("sun", "sun light", np.eye(4)))
    s.members.append("sun")
    forest_parts(s)
    trees(s)
    random = np.random.default_rng(5)
    groves(s, random)
    s.place("hills", np.eye(4), "moss")
    for row in range(13):
        for column in range(11):
            x = (column - 5) * 11.5 + random.uniform(-2, 2) + (row % 2) * 6
            z = 42 - row * 11.5 + random.uniform(-2, 2)
            if abs(x - 9 * np.sin(z / 26)) > 8.2:  # a path winds through
                at = translate(x, height(x, z), z) @ rotate(1, random.uniform(0, 360))
                s.place(f"grove {random.integers(4)}", at)
    s.write("forest.mi")


def forest_parts(s: Parts) -> None:
    """Materials, and the five meshes."""
    s.add(
        matt("bark", [0.16, 0.1, 0.06])
        + matt("birch", [0.55, 0.52, 0.47])
        + matt("moss", [0.1, 0.16, 0.045])
    )
    s.add(
        matt("pine", [0.035, 0.11, 0.045])
        + matt("leaf", [0.13, 0.25, 0.04])
        + matt("stone", [0.3, 0.29, 0.28])
    )
    s.add(matt("autumn", [0.36, 0.17, 0.04]))
    s.add(trilist("trunk", lathe([[0.16, -0.6], [0.12, 0.2], [0.09, 1.4], [0.06, 2.6]], 10)))
    s.add(
        trilist(
            "cone", lathe([[0.02, 0.12], [1.0, 0.0], [0.62, 0.42], [0.28, 0.95], [0.0, 1.6]], 14)
        )
    )
    s.add(
        trilist("crown", blob(1)) + trilist("rock", blob(2, 12, 0.5)) + trilist("hills", ground())
    )


def groves(s: Parts, random: np.random.Generator) -> None:
    """Four groups of forty trees and boulders."""
    for grove in range(4):
        names = [f"grove {grove} tree {i}" for i in range(40)]
        for i, name in enumerate(names):
            kind = random.choice(
                ["pine tree", "leaf tree", "autumn tree", "boulder"], p=[0.5, 0.3, 0.12, 0.08]
            )
            angle, radius = i * 137.508, 1.15 * np.sqrt(i + 0.5)
            spot = rotate(1, angle) @ translate(radius, 0, 0) @ rotate(1, random.uniform(0, 360))
            s.add(instance(name, str(kind), spot @ scale(random.uniform(0.6, 1.25))))
        s.add(instgroup(f"grove {grove}", names))


def trees(s: Parts) -> None:
    """Each kind of tree is a group of instances."""
    pine = [instance("pine trunk", "trunk", scale(1, 1.3, 1), "bark")]
    names = ["pine trunk"]
    for i, (y, r) in enumerate([(0.9, 1.15), (1.7, 0.95), (2.5, 0.72), (3.2, 0.48)]):
        names.append(f"pine tier {i}")
        pine.append(
            instance(names[-1], "cone", translate(0, y, 0) @ rotate(1, 40 * i) @ scale(r), "pine")
        )
    s.add("".join(pine) + instgroup("pine tree", names))
    for kind, surface in (("leaf tree", "leaf"), ("autumn tree", "autumn")):
        names = [f"{kind} trunk"]
        s.add(instance(names[0], "trunk", scale(0.8, 1.1, 0.8), "birch"))
        for i, (x, y, z, r) in enumerate(
            [
                (0, 3.4, 0, 0.95),
                (0.6, 2.8, 0.2, 0.7),
                (-0.5, 2.9, 0.4, 0.72),
                (-0.1, 2.6, -0.6, 0.68),
            ]
        ):
            names.append(f"{kind} crown {i}")
            place = translate(x, y, z) @ rotate(1, 77 * i) @ scale(r, 0.85 * r, r)
            s.add(instance(names[-1], "crown", place, surface))
        s.add(instgroup(kind, names))
    s.add(instance("boulder rock", "rock", translate(0, 0.1, 0) @ scale(0.8, 0.5, 0.7), "stone"))
    s.add(instgroup("boulder", ["boulder rock"]))


def height(x: float, z: float) -> float:
    """The ground above (x, z)."""
    return float(
        1.2 * np.sin(x / 23) * np.cos(z / 19)
        + 4 * np.sin(x / 50 - z / 40 + 0.5) * np.exp(-0.02 * (z + 60) / 6)
    )


def ground(half: float = 150, steps: int = 40) -> tuple[Array, Array, np.ndarray]:
    """Hills as a grid of triangles."""
    axis = np.linspace(-half, half, steps + 1)
    points = np.array([[x, height(x, z), z] for x in axis for z in axis])
    i, j = np.meshgrid(np.arange(steps), np.arange(steps), indexing="ij")
    a = (i * (steps + 1) + j).reshape(-1)
    b, c, d = a + 1, a + steps + 2, a + steps + 1
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return points, smooth_normals(points, triangles), triangles


def leaves() -> None:
    """Leaves cut out of cards by an image's alpha, on paving stones and over a checkered crate."""
    s = Parts(header("Leaves that an image cuts out of squares, on paving stones.", 128, 8))
    sky = shader("one_color", color=[0.55, 0.68, 0.85])
    s.add(camera([0.4, 1.7, 5.6], [0, 0.75, 0], (800, 450), 42, sky))
    s.add('color texture "leaf image" "images/leaf.png"\n')
    s.add('color texture "paving image" "images/paving.png"\n' + LEAF_SHADERS)
    s.add(square("ground", 12, 12) + square("card", 1, 1))
    s.add(
        cube("crate", 0.5) + metal("chrome", [0.9, 0.91, 0.92], 1.0) + trilist("ball", sphere(56))
    )
    s.place("ground", rotate(0, -90) @ translate(-6, -6, 0), "paving")
    s.place("crate", translate(-1.5, 0.5, -0.4) @ rotate(1, 28), "checkered")
    s.place("ball", translate(1.75, 0.6, -0.5) @ scale(0.6), "chrome")
    plant(s, np.random.default_rng(21))
    s.light("sun", aim([3.5, 8.0, 5.0]), 1.5, 1.5, [2600, 2400, 2100])
    s.write("leaves.mi")
    write_pictures(SCENES / "images")


LEAF_SHADERS = """
shader "uv" "mib_texture_vector" ("select" 0)
shader "paved" "mib_texture_remap" ("input" = "uv", "repeat" 10 10 1)
shader "stones" "mib_texture_lookup" ("tex" "paving image", "coord" = "paved")
shader "squares" "mib_texture_remap" ("input" = "uv", "repeat" 4 4 1)
shader "checks" "mib_texture_checkerboard" ("coord" = "squares", "color000" .75 .72 .65,
    "color110" .75 .72 .65, "color100" .5 .06 .04, "color010" .5 .06 .04)
shader "leaf colour" "mib_texture_lookup" ("tex" "leaf image", "coord" = "uv")
shader "leaf alpha" "mib_color_alpha" ("input" = "leaf colour")
shader "blade" "mib_illum_lambert" ("diffuse" = "leaf colour")
material "paving" "mib_illum_lambert" ("diffuse" = "stones") end material
material "checkered" "mia_material" ("diffuse_weight" 1, "diffuse" = "checks", "reflectivity" 1,
    "refl_gloss" .85, "brdf_0_degree_refl" .05, "brdf_90_degree_refl" 1) end material
material "leaf" "mip_card_opacity" ("input" = "blade", "opacity" = "leaf alpha") end material
"""


def square(name: str, width: float, height: float) -> str:
    """A square from the origin up and to the right, with texture coordinates."""
    corners = [[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]]
    return textured_polygons(name, corners, [[0, 1, 2, 3]])


def cube(name: str, half: float) -> str:
    """A cube with texture coordinates 0 to 1 on every side."""
    side = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]) * half
    turns = [rotate(1, angle) for angle in (0, 90, 180, 270)] + [rotate(0, 90), rotate(0, -90)]
    corners = np.concatenate([side @ turn[:3, :3].T for turn in turns])
    return textured_polygons(name, corners, np.arange(24).reshape(6, 4))


def plant(s: Parts, random: np.random.Generator) -> None:
    """Leaves around a stem that does not show, and some that have fallen."""
    middle = translate(-0.5, 0, 0)
    for turn in range(42):
        height, lean = 0.15 + 1.15 * random.random(), random.uniform(20, 75)
        size = scale(random.uniform(0.45, 0.8))
        stem = translate(0.15, height, 0.1) @ rotate(1, 137.5 * turn)
        s.place("card", stem @ rotate(0, lean) @ size @ middle, "leaf")
    for _ in range(26):
        x, z = random.uniform(-3, 3), random.uniform(-1, 3)
        lying = translate(x, 0.02, z) @ rotate(1, random.uniform(0, 360)) @ rotate(0, -86)
        s.place("card", lying @ scale(random.uniform(0.25, 0.45)) @ middle, "leaf")


def write_all() -> None:
    """Write every generated scene, and the images that they show."""
    eye()
    glass_and_metal()
    forest()
    leaves()


if __name__ == "__main__":
    write_all()
