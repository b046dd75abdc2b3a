"""The worker's lanes: checks whose loss would lose work, do it twice, or keep pupils waiting."""

from tests.sabotage.shape import Sabotage

LEASES = "lti_tool/core/leases.py"
DISPATCH = "lti_tool/core/dispatch.py"
POLICY = "lti_tool/core/lanes.py"
HOSTS = "lti_tool/core/hosts.py"
URGENCY = "lti_tool/submissions/urgency.py"

HELD = ("tests/core/test_leases.py",)
TAKEN = ("tests/core/test_dispatch.py",)
RULES = ("tests/core/test_lanes.py",)

LANES = (
    Sabotage(
        "a job that hangs is kept for ever",
        LEASES,
        " if now < one.until]",
        "]",
        HELD,
    ),
    Sabotage(
        "an old holder renews and hands back what another has by now",
        LEASES,
        "tuple_(Job.id, Job.token).in_(ours)",
        "Job.id.in_([claim.job_id for claim in held])",
        HELD,
    ),
    Sabotage(
        "nobody renews a lease",
        LEASES,
        "                self.renew()\n",
        "                pass\n",
        HELD,
    ),
    Sabotage(
        "a deploy costs each job a try",
        LEASES,
        "                attempts=Job.attempts - 1,\n",
        "",
        HELD,
    ),
    Sabotage(
        "two workers choose for one host at once",
        DISPATCH,
        '        in_single_file(db, "lane", host.address)\n',
        "",
        TAKEN,
    ),
    Sabotage(
        "slots of dead workers are taken for ever",
        DISPATCH,
        " AND j.lease_until > now()\n",
        "\n",
        TAKEN,
    ),
    Sabotage(
        "whose photos are read goes to the end of the line",
        URGENCY,
        "len(submission.text), read.since)",
        "len(submission.text))",
        ("tests/uploads/test_pages.py",),
    ),
    Sabotage(
        "photos of a lesson are homework once they are read",
        URGENCY,
        "Line(read.urgency, ",
        "Line(Urgency.HOMEWORK, ",
        ("tests/uploads/test_pages.py",),
    ),
    Sabotage(
        "who is next goes by when the job was written",
        DISPATCH,
        "kind, course_id, since, id",
        "kind, course_id, ready_at, id",
        TAKEN,
    ),
    Sabotage(
        "models are loaded by turns once everybody has waited long",
        POLICY,
        "oldest.ready >= age_limit",
        "oldest.waited >= age_limit",
        RULES,
    ),
    Sabotage(
        "a host that failed at a job is offered it at once",
        DISPATCH,
        "(%(others)s AND host",
        "(false AND host",
        TAKEN,
    ),
    Sabotage(
        "another model is loaded beside what runs",
        POLICY,
        "    if lane.busy:\n",
        "    if False:\n",
        RULES,
    ),
    Sabotage(
        "who needs another model waits for ever",
        POLICY,
        "oldest.ready >= age_limit and",
        "False and",
        RULES,
    ),
    Sabotage(
        "a host that fails is never left alone",
        HOSTS,
        "    if failures < OPENS_AFTER:\n",
        "    if True:\n",
        (*RULES, *TAKEN),
    ),
    Sabotage(
        "those who begin a lesson stay homework",
        URGENCY,
        "            jobs.hurry(db, submission.course_id)\n",
        "            pass\n",
        ("tests/submissions/test_urgency.py",),
    ),
    Sabotage(
        "a time is promised while every host rests",
        "lti_tool/migrations/versions/0026_honest_waits.py",
        """      AND (resting_until IS NULL OR resting_until < now())
    GROUP BY kind
""",
        "    GROUP BY kind\n",
        ("tests/core/test_line.py",),
    ),
    Sabotage(
        "all who failed together come back together",
        "lti_tool/flows/tools.py",
        "after * (1 + jitter() / 2)",
        "after",
        ("tests/test_queue_faults.py",),
    ),
    Sabotage(
        "a worker asked to stop begins more",
        "lti_tool/core/dispatcher.py",
        "            self._over = True\n            self.ring()\n            thread.join()\n",
        "",
        ("tests/test_queue_faults.py",),
    ),
)
