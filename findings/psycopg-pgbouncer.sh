#!/bin/bash
# psycopg 3.3.9 (PyPI) through PgBouncer 1.18.0 to PostgreSQL 15.18 (Debian 12: pgbouncer 1.18.0-1+deb12u1,
# postgresql-15 15.18-0+deb12u1), in session mode, where a client has a server of its own.
#
# One would guess: connection.info.backend_pid is what its documentation says, the process that serves this connection.
# Seen on 2026-11-28: directly it is. Through PgBouncer it is a number that PgBouncer made up and no process of the server
# has: pg_stat_activity does not know it, and a NOTIFY of one's own has another pid, so it passes for somebody else's.
# Source: https://www.psycopg.org/psycopg3/docs/api/objects.html#psycopg.ConnectionInfo.backend_pid tells of no pooler.
set -eu
server=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
for program in "$server/initdb" pgbouncer; do
    command -v "$program" >/dev/null || { echo "Needs $program: apt-get install postgresql pgbouncer" >&2; exit 1; }
done
room=$(mktemp -d)
pooler=
stop() {
    [ -z "$pooler" ] || kill "$pooler" 2>/dev/null || :
    [ ! -e "$room/data/postmaster.pid" ] || "${as_user[@]}" "$server/pg_ctl" -D "$room/data" stop -m immediate >/dev/null
    rm -rf "$room"
}
as_user=()
trap stop EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install -q 'psycopg[binary]==3.3.9'
chmod 755 "$room"

# Neither server runs as root.
if [ "$(id -u)" = 0 ]; then
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
    chown nobody:nogroup "$room"
fi
"${as_user[@]}" "$server/initdb" -D "$room/data" -U postgres --no-sync >/dev/null 2>&1
"${as_user[@]}" "$server/pg_ctl" -D "$room/data" -w -l "$room/log" -o "-k $room -p 5432 -c listen_addresses=" start >/dev/null
cat >"$room/pool.ini" <<END
[databases]
postgres = host=$room port=5432 user=postgres
[pgbouncer]
unix_socket_dir = $room
listen_port = 6432
listen_addr =
auth_type = any
pool_mode = session
END
"${as_user[@]}" pgbouncer -q "$room/pool.ini" &
pooler=$!

cat >"$room/ask.py" <<'END'
import sys
import time

import psycopg


def connect(port):
    for _ in range(100):
        try:
            return psycopg.connect(host=sys.argv[1], port=port, user="postgres", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)  # it is starting
    sys.exit(f"Nobody listens on {port}.")


for way, port in (("directly", 5432), ("through PgBouncer", 6432)):
    with connect(port) as connection:
        ours = connection.info.backend_pid
        found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (ours,)).fetchone()[0]
        connection.execute("LISTEN hello")
        connection.execute("NOTIFY hello")
        notice = next(connection.notifies(timeout=10, stop_after=1))
        print(f"{way}: {found} process with this pid; a NOTIFY of our own is ours: {notice.pid == ours}")
END

seen=$("$room/venv/bin/python" "$room/ask.py" "$room")
expected='directly: 1 process with this pid; a NOTIFY of our own is ours: True
through PgBouncer: 0 process with this pid; a NOTIFY of our own is ours: False'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'Not as it was seen:\n%s\n' "$expected" >&2; exit 1; }
