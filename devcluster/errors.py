"""What went wrong with a cluster, in one line."""

__all__ = ["ClusterError"]


class ClusterError(Exception):
    """Why a cluster cannot do what was asked, in one line, with what to do about it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
