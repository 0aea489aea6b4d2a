"""Rays a second on the chosen device, and what share of the machine that is.

tracers.py traces on the device; counting.cpp, built around the kernels' own headers, counts what
rays visit, and operations.py what a visit computes; probe.py measures the machine; roofline.py
joins them.
"""
