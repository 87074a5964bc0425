import pytest, time, uuid
from datetime import timedelta
from bluelamp.kernel import clock
from bluelamp.ingest import services
from bluelamp.ingest.models import *
from bluelamp.fleet.models import Dock
from bluelamp.footage.models import Recording
from tests import factories
from django.db import connection
@pytest.mark.django_db
def test_perf():
    u=factories.unit(); cam=factories.camera(u); d=Dock.objects.create(name="d",token_sha256="d")
    now=clock.now()
    s=DockingSession.objects.create(dock=d,camera=cam,opened_at=now,device_clock=now,clock_offset_ms=0,clock_set=True)
    p=factories.person(unit=u)
    for N in (10,3000):
        Offer.objects.filter(camera=cam).delete()
        Offer.objects.bulk_create([Offer(camera=cam,sequence=i,entry_hash=f"h{i}",previous=f"h{i-1}" if i>1 else "0"*64,sha256=f"{i}",signed=True,state="arrived",first_session=s,first_at=now,last_session=s,last_at=now) for i in range(1,N+1)])
        have=set(Recording.objects.filter(camera=cam).values_list("sequence",flat=True))
        Recording.objects.bulk_create([Recording(camera=cam,sequence=i,filename="x",wearer=p,unit=u,started_at=now,ended_at=now,received_at=now,sha256=f"{i}",size=1,original=f"o{i}") for i in range(1,N+1) if i not in have])
        from django.test.utils import CaptureQueriesContext
        t=[]
        for _ in range(5):
            a=time.perf_counter(); services.reconcile(cam.pk); t.append(time.perf_counter()-a)
        with CaptureQueriesContext(connection) as q: services.reconcile(cam.pk)
        print(N, "ms", [round(x*1000,1) for x in t], "queries", len(q))
        print(Discrepancy.objects.values_list("kind","first","last"))
