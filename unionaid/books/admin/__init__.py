"""The desk's view of the fund's books, gathered for Django."""

from unionaid.books.admin import movements

__all__ = ["movements"]
