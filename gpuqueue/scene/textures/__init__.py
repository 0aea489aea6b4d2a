"""Textures: image files to texels, and shaders that vary over a surface to the kernels' steps."""
