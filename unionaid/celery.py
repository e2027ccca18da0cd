"""The Celery app: queues, limits and the timetable."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

app = Celery("unionaid")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue="default",
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_time_limit=1800,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # A request must not wait long for a broker that is down: its nudge may be lost, the sweep finds the row.
    broker_connection_timeout=2,
    broker_transport_options={
        "visibility_timeout": 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
    },
    broker_pool_limit=4,
    timezone="Asia/Shanghai",
    beat_schedule={
        "find work whose nudge was lost": {"task": "workflow.sweep", "schedule": 15.0},
        "write the jobs that the calendar asks for": {"task": "workflow.ask_what_is_due", "schedule": 300.0},
    },
)
app.autodiscover_tasks(["unionaid.workflow"])
