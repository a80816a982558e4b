"""Which provider carries our texts: all accounts are of one, now."""

from messaging import twilio
from messaging.gateway import Gateway

GATEWAY: Gateway = twilio
