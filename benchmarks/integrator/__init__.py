"""Pictures of the five scenes on the chosen device: how fast, and how long until one is good.

stage.py holds a scene on a device, reference.py the converged picture that errors are measured
against, convergence.py adds samples until a picture is good enough.
"""
