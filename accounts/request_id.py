"""The name of the request that is being answered, for the audit trail and for each line of log."""

import logging
from contextvars import ContextVar

current: ContextVar[str] = ContextVar("request_id", default="-")


class NameRequest(logging.Filter):
    """Lets every line of log say which request it belongs to; "-" outside of any."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        return True
