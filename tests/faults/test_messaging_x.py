import time, pytest
from dev.waiting import until
from tests.texts import *
def test_x(world):
    world.start_worker("routine"); world.start_worker("urgent"); world.start_beat()
    first = queue_text(body="before")
    until(lambda: state(first) in {"accepted","sent","delivered"}, 30, "the first text is sent")
    print("FIRST", now())
    world.stack.valkey.kill()
    during = queue_text(body="during")
    time.sleep(20)
    world.stack.valkey.start()
    t=time.monotonic()
    try:
        until(lambda: state(during) in {"accepted","sent","delivered"}, 60, "x")
    finally:
        print("AFTER", time.monotonic()-t)
        print(world.logs())
