#!/usr/bin/env python
"""Django's command line for unionaid."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run a command. Settings that are missing or wrong are told in one line, and end it with 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.stderr.write(f"manage.py 没有设置好，不能运行（set -a; . 设置文件; set +a）/ not configured: {wrong}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
