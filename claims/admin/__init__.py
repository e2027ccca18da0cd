"""Claims at the desk: the queue and the decision; rehearsals of drafts over a past year. Django looks here for both."""

from claims.admin import claims as claims
