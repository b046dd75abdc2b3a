"""The worker's lanes: checks whose loss would lose work, do it twice, or keep pupils waiting."""

from tests.sabotage.shape import Sabotage

LEASES = "lti_tool/core/leases.py"

HELD = ("tests/core/test_leases.py",)

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
)
