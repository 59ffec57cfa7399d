"""Dragoman: one local endpoint in front of every AI provider that its user has."""

__version__ = "0.1.0"
