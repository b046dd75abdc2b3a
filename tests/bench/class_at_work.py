"""One lesson through the real queue, with a clock at each pupil and each step."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from feedback_engine.contract import (
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Language,
    PageImage,
    PageReading,
    Told,
)
from lti_tool.core import dispatch, hosts
from lti_tool.core.clock import utc_now
from lti_tool.core.db import WORKER, Database
from lti_tool.core.dispatcher import Dispatcher
from lti_tool.core.hosts import Host, LaneBook
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.core.leases import Leases
from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal
from lti_tool.people.tokens import ServiceTokens
from tests.bench.gpu import Gpu
from tests.bench.lesson import TEXT_PROMPT, VISION_PROMPT, HandIn, Model
from tests.classroom import Classroom, FakeEngine, Pupil, open_classroom, page_of
from tests.fakes.files import MemoryFiles
from tests.specs import spec

AGE_LIMIT = timedelta(minutes=2)  # as the settings have it
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """`waited`: seconds of the card's time per pupil; `busy`: of the card; `overhead`: seconds on
    the wall that slots spent around the model; `repeated`: finished stages that were done again."""

    waited: list[float]
    busy: float
    loads: int
    overhead: float
    repeated: int


@dataclass
class Card(FakeEngine):
    """Engine and reader in one: both only wait for the card. Work is known by its number."""

    gpu: Gpu
    work: Sequence[HandIn]
    vision: Model
    text: Model
    stages: Counter[tuple[str, int]] = field(default_factory=Counter)
    thought: float = 0.0  # seconds on the wall inside the model
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        super().__init__()

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        number = int(request.answer.split()[-1])
        self._think("text", number, self.text, TEXT_PROMPT, self.work[number].written_tokens)
        return super().give_feedback(request)

    def read_page(
        self, image: PageImage, *, task: str = "", language: Language = "de"
    ) -> PageReading:
        number = int(image.jpeg.split()[-1])
        self._think("vision", number, self.vision, VISION_PROMPT, self.work[number].read_tokens)
        info = EngineInfo("card", self.vision.name, "", "1", is_model=True)
        return PageReading(f"Licht gibt der Pflanze Energie {number}", (), (), info)

    def _think(self, stage: str, number: int, model: Model, prompt: int, written: int) -> None:
        began = time.monotonic()
        self.gpu.answer(model.name, prompt, written)
        with self.lock:
            self.stages[stage, number] += 1
            self.thought += time.monotonic() - began


def class_at_work(
    database: Database,
    work: Sequence[HandIn],
    models: tuple[Model, Model],
    slots: int,
    speed: float,
) -> Outcome:
    """All hand in when they do; returns once the last one has feedback. `models`: that which reads
    pages, and that which judges."""
    vision, text = models
    name = f"class-{next(_numbers)}"
    room = open_classroom(database, spec(checks_reading=False), issuer=f"https://{name}.example")
    pupils = [room.joins(f"{name}-{number}") for number in range(len(work))]
    host = Host(f"http://{name}", slots)
    with Gpu(text, speed) as gpu:
        card = Card(gpu, work, vision, text)
        return _Lesson(room, pupils, host, card).runs()


class _Lesson:
    def __init__(self, room: Classroom, pupils: Sequence[Pupil], host: Host, card: Card) -> None:
        self.room, self.pupils, self.host, self.card = room, pupils, host, card
        self.begin = room.database.begin
        self.models = {JobKind.READ_PAGES: card.vision.name, JobKind.GIVE_FEEDBACK: card.text.name}
        self.files = MemoryFiles()
        self.done: dict[UUID, float] = {}
        self.all_done = threading.Event()
        self.spent = 0.0  # seconds on the wall in taking and doing jobs
        self.lock = threading.Lock()
        self.shop = self._open_shop()

    def runs(self) -> Outcome:
        with self.begin(WORKER) as db:
            hosts.announce(db, self.host, self.models)
        looks = timedelta(seconds=1)
        dispatcher = Dispatcher((self.host,), self._take, self._work, looks)
        handed_in: dict[UUID, float] = {}
        with self.shop.leases.kept(), dispatcher.running(timedelta(seconds=20)):
            for number, one in enumerate(self.card.work):
                time.sleep(max(0.0, (one.at - self.card.gpu.now()) / self.card.gpu.speed))
                handed_in[self._hands_in(number, one)] = one.at
                dispatcher.ring()  # as the bell does
            if not self.all_done.wait(600):
                raise SystemExit("the class never got its feedback")
        return Outcome(
            waited=[self.done[which] - at for which, at in handed_in.items()],
            busy=self.card.gpu.busy,
            loads=self.card.gpu.loads,
            overhead=self.spent - self.card.thought,
            repeated=sum(self.card.stages.values()) - len(self.card.stages),
        )

    def _take(self, host: Host) -> Claim | None:
        began = time.monotonic()
        scaled = AGE_LIMIT / self.card.gpu.speed
        rules = dispatch.Rules(self.shop.leases.lease, scaled)
        claim = dispatch.take(self.begin, host, self.models, rules)
        if claim is not None:
            with self.lock:
                self.spent += time.monotonic() - began
        return claim

    def _work(self, host: Host, claim: Claim) -> None:
        began = time.monotonic()
        self.shop.work(claim)
        with self.lock:
            self.spent += time.monotonic() - began
            if claim.kind is JobKind.GIVE_FEEDBACK:
                self.done[claim.subject_id] = self.card.gpu.now()
            if len(self.done) == len(self.pupils):
                self.all_done.set()

    def _hands_in(self, number: int, one: HandIn) -> UUID:
        pupil = self.pupils[number]
        if not one.photo:
            return pupil.hands_in(f"Licht gibt der Pflanze Energie {number}").id
        self._takes_a_photo(pupil, b"photo %d" % number)
        return pupil.hands_in("").id

    def _takes_a_photo(self, pupil: Pupil, content: bytes) -> None:
        launch = pupil.launch
        page = page_of(launch, content)
        self.files.put(page.key, content)
        with self.begin(launch.actor) as db:
            db.add(page)
            db.flush()

    def _open_shop(self) -> Workshop:
        outbound = Outbound(GuardedTransport(allowed=frozenset()))
        tokens = ServiceTokens(outbound, utc_now)
        return Workshop(
            begin=self.begin,
            engine=self.card,
            reader=self.card,
            files=self.files,
            gradebook=AgsClient(outbound, tokens),
            rosters=RosterClient(outbound, tokens),
            seal=KeySeal("s" * 32),
            clock=utc_now,
            leases=Leases(self.begin, lease=timedelta(minutes=1), longest=timedelta(hours=1)),
            lane=LaneBook(self.begin, self.host, self.models),
            attempts=3,
        )
