"""The configuration: realityserver.conf syntax, checked into frozen settings."""

from gpuqueue.config.load import load_settings
from gpuqueue.config.settings import Settings, embedded_settings

__all__ = ["Settings", "embedded_settings", "load_settings"]
