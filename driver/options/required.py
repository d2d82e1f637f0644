"""Options without which a command cannot begin."""

from __future__ import annotations

from argparse import Namespace

from driver.errors import UsageError

__all__ = ["require_options"]


def require_options(options: Namespace, *names: str, what: str = "") -> None:
    """Refuse a command line that lacks some of these options, all of them in one line.

    Args:
        what: is said of what they are.

    Raises:
        UsageError: some are not given; names them.
    """
    missing = [f"--{name.replace('_', '-')}" for name in names if not getattr(options, name)]
    if missing:
        listed = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        verb = "is" if len(missing) == 1 else "are"
        see = f"(see {options.program} --help)"
        raise UsageError(f"{options.command}: {listed} {verb} needed{what} {see}")
