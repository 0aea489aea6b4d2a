"""Render jobs from end to end, on a server of our own: site.py starts it, section.py measures."""
