"""The worker of Whetstone's local engine (see PROTOCOL.md)."""

__version__ = "0.1.0"
