"""The command `dragoman`.

`shell` runs a command and turns whatever goes wrong into one sentence and an exit status;
`commands` is the tree of commands, each in the module of its noun. Most of the program is
imported inside the command that needs it, so that the small ones start quickly.
"""

from dragoman.cli.shell import main

__all__ = ["main"]
