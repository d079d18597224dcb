"""The files of the Debian package that are made of what the program itself says: `python packaging/deb.py DEBIAN TREE`.

The unit is that of `smscatch setup`, so that a machine runs the same service however it was installed.
"""

import os
import re
import sys
from email.utils import formatdate
from pathlib import Path

import smscatch
from smscatch.setup.plan import CONFIG, READER_UNIT, first_config, reader_service, service_unit, service_user

PROGRAM = Path("/usr/bin/smscatch")
USERS = Path("usr/lib/sysusers.d/smscatch.conf")
READER = Path("usr/lib/systemd/system") / READER_UNIT.name
CHANGES = "See /usr/share/doc/smscatch/changelog.gz."
REVISION = 1  # of the package; the version is of what is in it


def main(debian: Path, tree: Path) -> None:
    """Write into `debian` what debhelper looks for there, and what it only packs into `tree`."""
    (debian / "smscatch.service").write_text(service_unit(PROGRAM))
    (debian / "changelog").write_text(changelog(smscatch.__version__, (debian / "control").read_text()))
    for path, content in ((CONFIG, first_config()), (USERS, service_user()), (READER, reader_service(PROGRAM))):
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_text(content)


def changelog(version: str, control: str) -> str:
    """Return the log of changes in Debian's form (deb-changelog(5)), whose only entry points to ours."""
    [maintainer] = re.findall(r"^Maintainer: (.*)$", control, re.MULTILINE)
    date = formatdate(float(os.environ["SOURCE_DATE_EPOCH"]))
    return f"smscatch ({version}-{REVISION}) stable; urgency=medium\n\n  * {CHANGES}\n\n -- {maintainer}  {date}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
