"""The channels by which notices leave the house: the log, e-mail, SMS. Which of them are open is a setting (NOTICE_CHANNELS).

A channel either hands a message over, or says which of three things went wrong: it was certainly not taken (trying again does no
harm), it will never be taken, or nobody knows. What nobody knows is tried again only where the other side can tell a message that
comes twice by its reference.
"""

import logging
import smtplib
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.module_loading import import_string

from unionaid.lib.identity import mask_phone
from unionaid.workflow.models import Notice

logger = logging.getLogger(__name__)


class Undelivered(Exception):
    """It did not go out; `trouble` is a code of Notice.Trouble."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class NotTaken(Undelivered):
    """The other side certainly has not taken it: it may be tried again."""


class Refused(Undelivered):
    """The other side will not take it, however often it is tried."""


class NoAnswer(Undelivered):
    """It may have been taken or not."""

    def __init__(self) -> None:
        super().__init__(Notice.Trouble.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Contact:
    """How a person can be reached, and in which language. Not printed with its numbers."""

    language: str = "zh-hans"
    email: str = ""
    phone: str = ""

    def __repr__(self) -> str:
        return f"Contact({self.masked()})"

    def masked(self) -> str:
        """The address as it may stand in a log."""
        name, at, domain = self.email.partition("@")
        return mask_phone(self.phone) if self.phone else f"{name[:1]}***{at}{domain}" if self.email else "-"


@dataclass(frozen=True, slots=True)
class Message:
    """What is handed over. `reference` is the same however often the message is tried."""

    reference: str
    title: str
    text: str
    address: str
    to: Contact


class Gateway(Protocol):
    """What a deployment fills in for its SMS provider (`unionaid.workflow.sms`)."""

    tells_twins_apart: bool

    def send(self, message: Message) -> None: ...


class Channel(Protocol):
    """One way out."""

    name: str
    tells_twins_apart: bool

    def reaches(self, contact: Contact) -> bool: ...

    def send(self, message: Message) -> None: ...


class LogChannel:
    """Writes a line that a notice was due: no name, no text, the address masked. For trying out, and where nothing may go out."""

    name, tells_twins_apart = "log", True

    def reaches(self, contact: Contact) -> bool:
        return True

    def send(self, message: Message) -> None:
        logger.info("notice %s to %s: %s", message.reference, message.to.masked(), message.title)


class EmailChannel:
    """By Django's mail settings; a message keeps its Message-ID when it is tried again."""

    name, tells_twins_apart = "email", False

    def reaches(self, contact: Contact) -> bool:
        return bool(contact.email)

    def send(self, message: Message) -> None:
        connection = get_connection()
        body = f"{message.text}\n\n{message.address}" if message.address else message.text
        domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
        mail = EmailMessage(
            message.title, body, to=[message.to.email], connection=connection, headers={"Message-ID": f"<{message.reference}@{domain}>"}
        )
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as error:
            raise NotTaken(Notice.Trouble.NO_CONNECTION) from error
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _words in error.recipients.values()]
            raise _by_code(max(codes, default=500)) from error
        except smtplib.SMTPResponseException as error:
            raise _by_code(error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NoAnswer from error
        finally:
            connection.close()


def _by_code(code: int) -> Undelivered:
    """RFC 5321: 4xx may be tried again, 5xx may not."""
    return NotTaken(Notice.Trouble.BUSY) if 400 <= code < 500 else Refused(Notice.Trouble.REFUSED)


class SmsChannel:
    """By the gateway of the settings (SMS_GATEWAY)."""

    name = "sms"

    def __init__(self) -> None:
        self.gateway: Gateway = import_string(settings.SMS_GATEWAY)()
        self.tells_twins_apart = self.gateway.tells_twins_apart

    def reaches(self, contact: Contact) -> bool:
        return bool(contact.phone)

    def send(self, message: Message) -> None:
        self.gateway.send(message)


CHANNELS: dict[str, type[Channel]] = {"log": LogChannel, "email": EmailChannel, "sms": SmsChannel}


def channel_for(contact: Contact) -> Channel | None:
    """The first open channel that reaches this person, in the order of the settings; None when none does."""
    for name in settings.NOTICE_CHANNELS:
        channel = CHANNELS[name]()
        if channel.reaches(contact):
            return channel
    return None
