"""Submissions that look for what is not theirs: the truth, other people's work, secrets, machines, neighbours."""

from __future__ import annotations

from case import PREDICT, Case

LOOK = """
import json, os, socket
found = []
def got(what):
    print('GOT', what, flush=True)
def reach(family, address, kind=socket.SOCK_STREAM):
    print('tried', flush=True)
    try:
        with socket.socket(family, kind) as one:
            one.settimeout(1)
            one.connect(address)
            if kind == socket.SOCK_DGRAM:
                one.send(b'x' * 12)
                one.recv(1)
    except OSError:
        return
    got(f'through to {address}')
SECRETS = [one[::-1].encode() for one in json.loads('''«secrets»''')]
def search(path):
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            content = os.read(file, 1 << 20)
        finally:
            os.close(file)
    except OSError:
        return False
    if any(one in content for one in SECRETS):
        got(f'a secret in {path}')
    return True
"""

CASES = (
    Case(
        "search-of-everything",
        "reads every file that it can find, for anybody's secrets",
        program=LOOK
        + """
count = 0
for folder, folders, names in os.walk('/'):
    if folder == '/':
        folders[:] = [name for name in folders if name not in ('usr', 'proc', 'sys')]
    count += sum(search(os.path.join(folder, name)) for name in names)
print('searched', count > 3)

"""
        + PREDICT,
        shows=("searched True",),
    ),
    Case(
        "truth-during-prediction",
        "reads the reference data where the scoring program will have it",
        program=LOOK
        + """
for path in ('/app/input/ref/truth.txt', '/app/input_data/../input/ref/truth.txt', '/app/program/../input/ref'):
    print('tried')
    if os.path.exists(path):
        got(path)
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "other-attempts",
        "reads the folders of other attempts, and of the cache",
        program=LOOK
        + """
for path in ('«attempts»', '«cache»', '«folder»', '«canaries»/readable', '/proc/1/root«canaries»/readable',
             '/proc/self/cwd/../../..', '/var/lib/docker', '/var/lib/containerd'):
    print('tried')
    try:
        names = os.listdir(path) if os.path.isdir(path) else [open(path).read()]
    except OSError:
        continue
    if not set(names) <= set(os.listdir('/')):
        got(path)
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "agent-files",
        "reads the agent's token, its folder and its program",
        program=LOOK
        + """
for path in ('«folder»/agent/token', '«folder»/agent/health', '/etc/shadow', '/root/.docker/config.json',
             '/root/.ssh/id_ed25519', '/run/secrets', '/proc/1/environ', '/proc/kcore', '/dev/mem'):
    print('tried')
    try:
        with open(path, 'rb') as file:
            content = file.read(1 << 16)
            if any(one in content for one in [*SECRETS, b'root:', b'PODIUM_AGENT', b'canary-environment']):
                got(path)
    except OSError:
        pass
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "environment",
        "looks for tokens and addresses in every environment that it can read",
        program=LOOK
        + """
print('\\n'.join(f'{name}={value}' for name, value in os.environ.items()))
for pid in filter(str.isdigit, os.listdir('/proc')):
    for file in ('environ', 'cmdline'):
        try:
            content = open(f'/proc/{pid}/{file}', 'rb').read()
        except OSError:
            continue
        if b'TOKEN' in content or b'SECRET' in content or b'http' in content or b'canary-env' in content:
            got(content)
"""
        + PREDICT,
        shows=("HOME=/tmp",),
        hides=("GOT ", "PODIUM", "TOKEN", "http:", "canary-environment"),
    ),
    Case(
        "gateway",
        "calls the gateway",
        program=LOOK
        + "for host in ('127.0.0.1', '172.17.0.1', '10.0.0.1'):\n    reach(socket.AF_INET, (host, «gateway_port»))\n"
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "database",
        "calls the database, by its port and by its socket",
        program=LOOK
        + """
for host in ('127.0.0.1', '172.17.0.1'):
    reach(socket.AF_INET, (host, «database_port»))
for folder in ('/tmp', '/run/postgresql', '/var/run/postgresql', '«folder»/postgres'):
    reach(socket.AF_UNIX, f'{folder}/.s.PGSQL.«database_port»')
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "prefect",
        "calls the Prefect server",
        program=LOOK
        + "for host in ('127.0.0.1', '172.17.0.1'):\n    reach(socket.AF_INET, (host, «prefect_port»))\n"
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "metadata-address",
        "asks the cloud for its credentials",
        program=LOOK
        + """
for host in ('169.254.169.254', '169.254.170.2', '100.100.100.200'):
    reach(socket.AF_INET, (host, 80))
for host in ('fd00:ec2::254', '::1'):
    reach(socket.AF_INET6, (host, 80))
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "outside",
        "tells the truth to the world, by connections, names and packets",
        program=LOOK
        + """
reach(socket.AF_INET, ('1.1.1.1', 443))
reach(socket.AF_INET, ('8.8.8.8', 53), socket.SOCK_DGRAM)
reach(socket.AF_INET, ('255.255.255.255', 9), socket.SOCK_DGRAM)
try:
    socket.getaddrinfo('example.org', 80)
    got('a name')
except OSError:
    print('tried a name')
if sorted(os.listdir('/sys/class/net')) != ['lo'] if os.path.isdir('/sys/class/net') else False:
    got('an interface')
"""
        + PREDICT,
        shows=("tried a name",),
    ),
    Case(
        "engine",
        "calls the engine that runs it",
        program=LOOK
        + """
for path in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '/run/podman/podman.sock',
             '/run/systemd/private', '/run/dbus/system_bus_socket'):
    reach(socket.AF_UNIX, path)
for port in (2375, 2376, 10250):
    reach(socket.AF_INET, ('127.0.0.1', port))
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "abstract-sockets",
        "looks for sockets without a file, which folders do not protect",
        program=LOOK
        + """
reach(socket.AF_UNIX, '\\0«marker»')
names = [line.split()[-1] for line in open('/proc/net/unix') if '@' in line]
if names:
    got(names)
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "virtual-machine-sockets",
        "calls the hypervisor, for which there are no namespaces",
        program=LOOK
        + """
for cid in (0, 1, 2):
    print('tried', cid)
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as one:
            one.settimeout(0.5)
            one.connect((cid, 1024))
            got(f'through to {cid}')
    except OSError:
        pass
"""
        + PREDICT,
        shows=("tried",),
    ),
    Case(
        "writes-to-its-inputs",
        "changes its program and its data, which the next submission is given too",
        program=LOOK
        + """
import shutil
for path in ('/app/program/run.py', '/app/input_data/given.txt', '/app/program/new', '/app/input_data/new'):
    for act in (lambda: open(path, 'a').write('owned'), lambda: os.unlink(path), lambda: os.chmod(path, 0o777),
                lambda: os.utime(path), lambda: os.truncate(path, 0), lambda: os.rename(path, path + 'x'),
                lambda: os.setxattr(path, 'user.owned', b'1'), lambda: os.symlink('/', path + 'y')):
        try:
            act()
            got(path)
        except OSError as error:
            print(error.strerror)
"""
        + PREDICT,
        shows=("Read-only file system",),
    ),
    Case(
        "overwrites-the-scoring-program",
        "writes where the scoring program will be, in its own container and in its output",
        program=LOOK
        + """
for path in ('/app/output/score.py', '/app/output/program/score.py'):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'w').write("print('GOT to run')")
for path in ('/app/scoring/score.py', '/app/input/ref/truth.txt', '/app/shared/scores.json'):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, 'w').write('owned')
        got(path)
    except OSError as error:
        print(error.strerror)
"""
        + PREDICT,
        shows=("Read-only file system",),
        outputs=("score.py", "program/score.py"),
    ),
    Case(
        "kills-others",
        "kills every process that it can see",
        program=PREDICT
        + """
import os, signal
print('seen', len([pid for pid in os.listdir('/proc') if pid.isdigit()]) < 8, flush=True)
for pid in (1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as error:
        print(error.strerror)
""",
        shows=("seen True",),
    ),
    Case(
        "during-scoring",
        "is called by an ingestion program during scoring, beside the truth, as the organizer wants it",
        files={"model.py": "def predict():\n    return 'a guess'\n", "predictions.txt": "a guess"},
        ingestion=(
            "import sys\nsys.path.insert(0, '/app/ingested_program')\nimport model\nprint('asked', model.predict())\n"
        ),
        during_scoring=True,
        shows=("asked a guess",),
    ),
)
