"""Run the Python of a document as one script, where a workspace is:

python examples/run_document.py docs/python.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["script_of"]

FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script_of(document: Path) -> str:
    """Return the blocks that are marked as Python, one after the other."""
    return "\n".join(FENCE.findall(document.read_text(encoding="utf-8")))


if __name__ == "__main__":
    exec(compile(script_of(Path(sys.argv[1])), sys.argv[1], "exec"), {"__name__": "__main__"})
