"""The desk's view of this room, gathered for Django."""

from claims.payouts.admin import batches, erasures, recoveries

__all__ = ["batches", "erasures", "recoveries"]
