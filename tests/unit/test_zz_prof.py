import cProfile,pstats,time
from datetime import UTC,datetime
from dev import demo_people
def test_x(db):
    p=cProfile.Profile(); t=time.process_time(); w=time.time()
    p.runcall(demo_people.fill, datetime(2026,11,23,16,tzinfo=UTC))
    print(time.process_time()-t, time.time()-w)
    pstats.Stats(p).sort_stats('cumtime').print_stats(40)
