"""How hard Hypothesis looks: `HYPOTHESIS_PROFILE=hard` for a night, else what a push can afford."""

import os

from hypothesis import HealthCheck, settings

# No deadline: the machines that run this are shared. Slow data is judged by a test's own time.
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile(
    "dev", max_examples=100, deadline=None, print_blob=True, suppress_health_check=_QUIET
)
# The same for the same code: the gate judges a change, and `make test` elsewhere looks further.
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.register_profile("hard", settings.get_profile("dev"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
