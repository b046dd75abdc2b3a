"""A school whose LMS is the practice LMS, in this process: client, tokens and clock."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from lti_tool.core.outbound import Outbound
from lti_tool.people.tokens import ServiceTokens, SigningKey, TokenEndpoint
from lti_tool.practice_lms import COURSES, PEOPLE, Course, Person, Role
from lti_tool.practice_lms.ledger import Received
from lti_tool.practice_lms.lms import Lms
from lti_tool.practice_lms.modes import Mode
from lti_tool.practice_lms.store import Grade, LineItem
from tests.fakes.in_process import InProcess
from tests.practice_lms.bench import ADA, BASE, COURSE, CURIE, REGISTRATION, Bench
from tests.practice_lms.fakes import Clock

TOKEN_URL = f"{BASE}/token"
ITEMS = f"{BASE}/services/{COURSE}/lineitems?type_id={REGISTRATION.deployment_id}"


@dataclass
class PracticeSite:
    """`lms`: the bench with its browser. One activity with a column of 10 points is there."""

    lms: Bench
    network: InProcess = field(init=False)

    def __post_init__(self) -> None:
        self.network = InProcess(self.lms.app, self.lms.slept)
        self.outbound = Outbound(self.network)  # type: ignore[arg-type]
        self.tokens = ServiceTokens(self.outbound, self.clock)
        self.link_id = self.lms.add_activity()
        self.column = self.lms.item_url(self.link_id)
        self.columns = ITEMS

    @property
    def inside(self) -> Lms:
        return self.lms.app.extensions["practice_lms"]

    @property
    def clock(self) -> Clock:
        return self.lms.clock

    @property
    def key(self) -> SigningKey:
        return SigningKey(self.lms.tool.kid, self.lms.tool.keys[self.lms.tool.kid])

    @property
    def endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(UUID(int=1), REGISTRATION.client_id, TOKEN_URL, None, self.key)

    def fails(self, endpoint: str, mode: str, times: int | None = 1) -> None:
        """Switch on a fault of the practice LMS for so many requests."""
        self.inside.modes.set(endpoint, Mode(mode, times))

    def items(self) -> list[LineItem]:
        with self.inside.store.reading() as state:
            return state.items_of(COURSE)

    def change(self, work) -> None:
        """Change what the LMS holds, behind everybody's back."""
        with self.inside.store.changing() as state:
            work(state)

    def grade(self, user_id: str = ADA, item_id: str | None = None) -> Grade:
        with self.inside.store.reading() as state:
            return state.grades.get((item_id or item_of(self.column), user_id), Grade())

    def ledger(self) -> list[Received]:
        return self.inside.ledger.rows()

    def override(self, user_id: str, points: str, feedback: str = "Nachgespräch") -> None:
        """A teacher types a grade into the gradebook."""
        self._cell(user_id, {"action": "save", "points": points, "feedback": feedback})

    def cell(self, user_id: str, action: str) -> None:
        """`release`: the teacher gives up the override; `lock`, `unlock`."""
        self._cell(user_id, {"action": action})

    def lock_column(self, action: str = "lock") -> None:
        self._post(f"/as/{CURIE}/columns/{item_of(self.column)}", {"action": action})

    def remove_column(self) -> None:
        """The teacher switches grading off in the activity."""
        self._post(f"/as/{CURIE}/columns/{item_of(self.column)}", {"action": "remove"})

    def _cell(self, user_id: str, form: dict[str, str]) -> None:
        self._post(f"/as/{CURIE}/grades/{item_of(self.column)}/{user_id}", form)

    def _post(self, path: str, form: dict[str, str]) -> None:
        self.lms.log_in(CURIE)
        assert self.lms.browser.post(path, data=form).status_code == 303


def item_of(column: str) -> str:
    """The id of a column in its address."""
    return column.partition("/lineitems/")[2].partition("/")[0]


def with_pupils(*user_ids: str) -> Bench:
    """The practice LMS with these pupils, too, in its one course, at this very moment."""
    pupils = tuple(Person(user_id, "Pupil", user_id, f"p{user_id}") for user_id in user_ids)
    first = COURSES[0]
    members = (*first.members, *((user_id, Role.PUPIL) for user_id in user_ids))
    course = Course(first.course_id, first.label, first.title, members)
    return Bench(clock=Clock(datetime.now(UTC)), people=(*PEOPLE, *pupils), courses=(course,))
