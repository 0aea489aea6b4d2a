"""Metallic-roughness materials as ``mia_material_x`` (glTF 2.0, section 3.9 and appendix B).

A dielectric is diffuse below a Fresnel coat; a metal reflects its colour. What is between both is
taken for the nearer one. Radiance of emission is as it stands, without a unit.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpuqueue.scene.document import Document
from gpuqueue.scene.entities import Material, ShaderCall, Value
from gpuqueue.scene.gltf.item import Item

_IOR = 1.5


def define_material(document: Document, item: Item, name: str) -> None:
    """Keep a material; warn of what it has that is not rendered."""
    call = ShaderCall("mia_material_x", _arguments(document, item), item.at)
    document.define(Material(name, item.at, (call,)))


def _arguments(document: Document, item: Item) -> Mapping[str, Value]:
    pbr, extensions = item.child("pbrMetallicRoughness"), item.child("extensions")
    *color, alpha = pbr.numbers("baseColorFactor", (1.0, 1.0, 1.0, 1.0))
    metallic = pbr.number("metallicFactor", 1.0, 0, 1)
    transmission = extensions.child("KHR_materials_transmission").number(
        "transmissionFactor", 0.0, 0, 1
    )
    if 0.1 < metallic < 0.9:
        document.warnings(f"metallicFactor {metallic:g} is taken for {round(metallic)}", item.at)
    _warn_of_textures(document, item, pbr)
    surface = _metal(color) if metallic > 0.5 else _dielectric(color, extensions, transmission)
    strength = extensions.child("KHR_materials_emissive_strength").number(
        "emissiveStrength", 1.0, 0
    )
    emission = item.numbers("emissiveFactor", (0.0, 0.0, 0.0))
    return {
        **surface,
        "refl_gloss": (1.0 - pbr.number("roughnessFactor", 1.0, 0, 1),),
        "additional_color": tuple(value * strength for value in emission),
        "cutout_opacity": (_opacity(item, alpha),),
    }


def _metal(color: list[float]) -> Mapping[str, Value]:
    return {
        "diffuse": tuple(color),
        "diffuse_weight": (0.0,),
        "reflectivity": (1.0,),
        "refl_is_metal": (True,),
        "brdf_0_degree_refl": (1.0,),
    }


def _dielectric(color: list[float], extensions: Item, transmission: float) -> Mapping[str, Value]:
    """A surface without a volume is a thin sheet."""
    ior = extensions.child("KHR_materials_ior").number("ior", _IOR, 0, 10)
    return {
        "diffuse": tuple(color),
        "diffuse_weight": (1.0,),
        "reflectivity": (1.0,),
        "brdf_fresnel": (True,),
        "refr_ior": (max(ior, 1.0),),
        "transparency": (transmission,),
        "refr_color": tuple(color),
        "thin_walled": (not extensions.has("KHR_materials_volume"),),
    }


def _opacity(item: Item, alpha: float) -> float:
    mode = item.text("alphaMode", "OPAQUE")
    if mode == "BLEND":
        return min(max(alpha, 0.0), 1.0)
    if mode == "MASK":
        return float(alpha >= item.number("alphaCutoff", 0.5))
    if mode == "OPAQUE":
        return 1.0
    raise item.error("alphaMode", "OPAQUE, MASK or BLEND")


def _warn_of_textures(document: Document, item: Item, pbr: Item) -> None:
    for name in (*pbr.values, *item.values):
        if name.endswith("Texture"):
            document.warnings(f"{name} is not rendered; the factor alone is", item.at, name)
