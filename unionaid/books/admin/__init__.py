"""The desk's view of the fund's books, gathered for Django."""

from unionaid.books.admin import closings, ledger, movements, reconciliations

__all__ = ["closings", "ledger", "movements", "reconciliations"]
