"""Other renderers beside ours: the same scenes, one thread each, in turns.

A renderer lives in a worker process (worker.py) with the Python of its own virtual environment
(environments.py); race.py lets them take turns, agreement.py refuses pictures that differ.
Modules that a worker imports need nothing but numpy and its renderer.
"""
