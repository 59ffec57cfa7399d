"""The HTTP shell: inference endpoints, management API, documentation and the web UI."""
