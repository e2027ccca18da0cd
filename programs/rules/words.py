"""A text in both languages of the house."""

import re
from dataclasses import dataclass

# "They" takes the verb of "you".
_THEY = {"You": "They", "you": "they", "Your": "Their", "your": "their", "yourself": "themself"}
_YOU = re.compile(rf"\b(?:{'|'.join(_THEY)})\b")


@dataclass(frozen=True, slots=True)
class Words:
    """A text in Chinese and English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.en if language.startswith("en") else self.zh

    def of_another(self) -> "Words":
        """The same, said to somebody (a unit's agent) of another person.

        >>> Words("您还不是工会会员。", "You are not a union member yet; join your unit's union first.").of_another()
        Words(zh='此人还不是工会会员。', en="They are not a union member yet; join their unit's union first.")
        """
        return Words(self.zh.replace("您", "此人"), _YOU.sub(lambda found: _THEY[found[0]], self.en))
