"""The shim: one small process per instance that owns its pipes and outlives the agent.

Started as a script, isolated and on the standard library only. This file is kept short, since
Python compiles a script anew at every start; `supervisor.py` does the work.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # At the end, so that nothing that lies beside the package can hide a module of Python's own.
    sys.path.append(__file__.removesuffix("/core/engines/process/shim.py"))

    from core.engines.process.supervisor import supervise

    supervise(sys.argv[1])
