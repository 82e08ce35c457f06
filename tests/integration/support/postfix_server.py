"""Debian's Postfix on a port of its own, with its queue and its mailboxes in one folder."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
alias_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_mailbox_base = {folder}/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/server.pem
smtpd_tls_key_file = {folder}/server.key
smtpd_relay_restrictions = reject_unauth_destination
"""


class PostfixServer:
    """A mail server that takes mail for some mailboxes, over TLS alone.

    Args:
        folder: For all that it keeps; those who run it must be able to pass through its parents.
        users: Whose mailboxes there are, all at example.org.
    """

    def __init__(self, folder: Path, users: list[str]) -> None:
        self.folder = folder
        self.certificate = folder / "server.pem"
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        somebody = pwd.getpwnam("nobody")
        for name in ("queue", "data", "log", "boxes", "etc"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        postfix = pwd.getpwnam("postfix")
        os.chown(folder / "data", postfix.pw_uid, postfix.pw_gid)
        os.chown(folder / "boxes", somebody.pw_uid, somebody.pw_gid)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(folder / "server.key"), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )
        (folder / "mailboxes").write_text("".join(f"{user}@example.org {user}/\n" for user in users))
        (folder / "etc" / "master.cf").write_text(_MASTER.format(port=self.port))
        names = {"folder": folder, "uid": somebody.pw_uid, "gid": somebody.pw_gid}
        (folder / "etc" / "main.cf").write_text(_MAIN.format(**names))

    def __enter__(self) -> Self:
        self._run("start")
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert time.monotonic() < deadline, (self.folder / "log" / "mail.log").read_text()
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._run("stop")

    def _run(self, what: str) -> None:
        # Not waited for by its pipes: what it starts keeps them.
        command = ["postfix", "-c", str(self.folder / "etc"), what]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        assert done.returncode == 0, f"postfix {what}"

    def mail_of(self, user: str) -> list[bytes]:
        """What lies in somebody's mailbox."""
        return [path.read_bytes() for path in (self.folder / "boxes" / user / "new").glob("*")]
