"""SMS gateways. A deployment names one in SMS_GATEWAY: the file for trying out, or a class of its own made from `HttpGateway`."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import Timer
from urllib.parse import urlsplit

from django.conf import settings

from unionaid.lib.calendar import now
from unionaid.lib.identity import mask_phone
from unionaid.workflow.channels import Message, NoAnswer, NotTaken, Refused
from unionaid.workflow.models import Notice

MOST_BYTES = 65_536


class RecordedFile:
    """For demonstrations and tests: each message is a line of JSON in SMS_RECORD_FILE, its number masked. Nothing is sent."""

    tells_twins_apart = True

    def send(self, message: Message) -> None:
        line = {"at": now().isoformat(), "reference": message.reference, "phone": mask_phone(message.to.phone), "text": message.text}
        opened = os.open(settings.SMS_RECORD_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(opened, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted to a gateway."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class HttpGateway:
    """A provider that takes messages by HTTP: posts to SMS_GATEWAY_URL, with three limits of time.

    As it stands it posts JSON (reference, phone, text) with SMS_GATEWAY_TOKEN as bearer, and takes 2xx for yes. A provider that
    wants it otherwise gets a class of its own that says `post` and `judge` anew, and sets `tells_twins_apart` when the provider
    drops a message whose reference it has had before. Waits SMS_CONNECT_SECONDS for a connection, SMS_READ_SECONDS for each sign of
    life, and never longer than both together for the whole answer.
    """

    tells_twins_apart = False

    def post(self, message: Message) -> Post:
        """The request that hands this message over."""
        told = {"reference": message.reference, "phone": message.to.phone, "text": message.text}
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {settings.SMS_GATEWAY_TOKEN}"}
        return Post(json.dumps(told, ensure_ascii=False).encode(), headers)

    def judge(self, status: int, body: bytes) -> None:
        """Nothing when the message was taken; NotTaken, Refused or NoAnswer otherwise."""
        if status in (429, 503):
            raise NotTaken(Notice.Trouble.BUSY)
        if 400 <= status < 500:
            raise Refused(Notice.Trouble.REFUSED)
        if not 200 <= status < 300:
            raise NoAnswer

    def send(self, message: Message) -> None:
        connection, path = self._connect()
        assert connection.sock is not None
        limit = Timer(settings.SMS_CONNECT_SECONDS + settings.SMS_READ_SECONDS, _hang_up, [connection.sock])
        limit.daemon = True
        limit.start()
        try:
            wanted = self.post(message)
            connection.request("POST", path, body=wanted.body, headers=wanted.headers)
            answer = connection.getresponse()
            status, body = answer.status, answer.read(MOST_BYTES)
        except (OSError, HTTPException) as error:
            raise NoAnswer from error
        finally:
            limit.cancel()
            connection.close()
        self.judge(status, body)

    def _connect(self) -> tuple[HTTPConnection, str]:
        place = urlsplit(settings.SMS_GATEWAY_URL)
        kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
        connection = kind(place.hostname or "", place.port, timeout=settings.SMS_CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise NotTaken(Notice.Trouble.NO_CONNECTION) from error
        assert connection.sock is not None
        connection.sock.settimeout(settings.SMS_READ_SECONDS)
        return connection, (place.path or "/") + (f"?{place.query}" if place.query else "")


def _hang_up(line: socket) -> None:
    """Whoever still reads from it meets the end."""
    with suppress(OSError):
        line.shutdown(SHUT_RDWR)
