"""Programs and their terms at the desk: written down, checked, published by another person, compared and tried."""

from programs.admin.terms import ProgramAdmin, TermsAdmin

__all__ = ["ProgramAdmin", "TermsAdmin"]
