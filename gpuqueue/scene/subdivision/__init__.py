"""Subdivision surfaces: polygon meshes refined towards the smooth surface that they control.

polygons.py is the mesh and its edges, catmull_clark.py and loop.py are one step each, surface.py as
many as an approximation asks for, and triangles of the result.
"""
