"""The embedded model: llama.cpp's own server in a child process, as one more provider.

`models` knows which model files there are, `pull` fetches the built-in one, `server` is what runs
in the child, and `process` starts, shares and stops such children. Nothing is imported here, so
that a child loads only what it needs.
"""
