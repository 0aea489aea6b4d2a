"""``python -m gpuqueue`` is the command line."""

from gpuqueue.cli import main

if __name__ == "__main__":
    main()
