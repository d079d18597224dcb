"""Certificates for servers of the tests."""

import subprocess
from pathlib import Path


def make_certificate(folder: Path, name: str = "IP:127.0.0.1") -> Path:
    """Make a certificate that vouches for itself, with its key in one file, and alone as ca.pem.

    `name` is whom it is for, such as DNS:sms.example.
    """
    file = folder / "server.pem"
    subject = f"/CN={name.partition(':')[2]}"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", subject]
    command += ["-addext", f"subjectAltName={name}", "-keyout", str(file), "-out", str(folder / "ca.pem")]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + (folder / "ca.pem").read_text())
    return file
