"""Free-form curves and surfaces: basis functions, evaluation, and cutting into triangles.

Independent of the scene language: the statements make axes and surfaces of what they read, and
turn a ValueError from here into an error with its place.
"""
