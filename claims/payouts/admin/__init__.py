"""The desk's view of this room, gathered for Django."""

from claims.payouts.admin import batches, recoveries

__all__ = ["batches", "recoveries"]
