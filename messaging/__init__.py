"""TEXTS: outbound texts and their states, inbound texts, opt-outs, pace, the Twilio gateway."""
