"""`python -m tests.faults.send_once LEASE [stop]`: one cycle of sending, in a process of its own.

LEASE is in seconds. `stop`: the process stops itself (SIGSTOP) after the check of the deadline and
before the write, where only the kernel's timer can help.
"""

import signal
import sys
import threading

import django

django.setup()

from messaging import claim, connections, sending  # noqa: E402 - Django has to be set up first
from messaging.models import Lane  # noqa: E402

claim.LEASE = sending.LEASE = float(sys.argv[1])
if sys.argv[2:] == ["stop"]:
    ask = connections._Peer.ask

    def stopped_ask(*arguments):
        # To this very thread, which therefore doesn't take one step more.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return ask(*arguments)

    connections._Peer.ask = stopped_ask
sending.send_due(Lane.ROUTINE)
