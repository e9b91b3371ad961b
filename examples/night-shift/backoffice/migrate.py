"""What has to be done once before a new version may start. It takes three steps."""

import time
from pathlib import Path

VERSION = Path(__file__).with_name("VERSION").read_text().strip()

for step in ("adds the column `sent_at`", "fills it", "drops the column `was_sent`"):
    print(f"{VERSION}: {step}", flush=True)
    time.sleep(0.3)
