"""A hook for gammu-smsd that keeps what it was told as JSON: `noting_hook.py FOLDER`. See carrier.recording_hook."""

import json
import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
seen: dict[str, object] = {
    key: value for key, value in os.environ.items() if key.startswith(("SMS_", "DECODED_", "PHONE_ID"))
}
number = f"{len(list(folder.iterdir())):06d}"
unfinished = folder / f".{number}"
unfinished.write_text(json.dumps({**seen, "arguments": sys.argv[2:]}))
unfinished.rename(folder / number)
