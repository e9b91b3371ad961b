"""What is done every minute."""

import os
from datetime import UTC, datetime

print(f"{datetime.now(UTC):%H:%M} UTC: a quiet night in {os.environ['COMPARTMENT_ENVIRONMENT']}")
