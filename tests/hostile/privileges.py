"""Submissions that want to be more than they are: system calls and files that would let them out."""

from __future__ import annotations

from case import PREDICT, Case

CALL = """
import ctypes, errno, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(what, number, *arguments):
    print('tried', what, flush=True)
    ctypes.set_errno(0)
    answer = libc.syscall(number, *arguments)
    if answer >= 0:
        print('GOT', what, answer, flush=True)
    else:
        print(errno.errorcode[ctypes.get_errno()], flush=True)
    return answer
def do(what, act, *arguments):
    print('tried', what, flush=True)
    try:
        act(*arguments)
        print('GOT', what, flush=True)
    except (OSError, OverflowError, ValueError) as error:
        print(type(error).__name__, flush=True)
"""
# Numbers of x86-64; on other machines they are other calls, which are refused or harmless.

CASES = (
    Case(
        "setuid",
        "becomes root, by a call and by setuid programs",
        program=CALL
        + """
do('uid', os.setuid, 0)
do('gid', os.setgid, 0)
do('groups', os.setgroups, [0])
import shutil, subprocess
os.makedirs('/app/output/bin')
shutil.copy('/usr/bin/id', '/app/output/bin/id')
os.chmod('/app/output/bin/id', 0o6755)
for command in (['/app/output/bin/id', '-u'], ['su', '-c', 'id -u'], ['sudo', 'id', '-u'], ['mount', '-a']):
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
        print('GOT root' if said.stdout.strip() == '0' else 'no')
    except (OSError, subprocess.TimeoutExpired):
        print('no')
do('owner', os.chown, '/app/output/bin/id', 0, 0)
"""
        + PREDICT,
        shows=("PermissionError", "no"),
    ),
    Case(
        "ptrace",
        "traces, reads and signals processes that are not its own",
        program=CALL
        + """
call('attach', 101, 16, «agent_pid», 0, 0)
call('seize', 101, 0x4206, «agent_pid», 0, 0)
call('read', 310, «agent_pid», 0, 0, 0, 0, 0)
call('signal', 62, «agent_pid», 0)
call('pidfd', 434, «agent_pid», 0)
do('memory', lambda: open('/proc/«agent_pid»/mem', 'r+b'))
do('environment', lambda: open('/proc/«agent_pid»/environ', 'rb').read())
"""
        + PREDICT,
        shows=("ESRCH", "tried environment"),
    ),
    Case(
        "mount",
        "mounts what it likes, and changes its root",
        program=CALL
        + """
os.makedirs('/tmp/a/b', exist_ok=True)
for kind in (b'tmpfs', b'proc', b'sysfs', b'cgroup', b'overlay', b'devtmpfs'):
    call('mount', 165, kind, b'/tmp/a', kind, 0, 0)
call('bind', 165, b'/', b'/tmp/a', 0, 4096, 0)
call('remount', 165, 0, b'/app/program', 0, 32, 0)
call('umount', 166, b'/app/program', 2)
call('pivot_root', 155, b'/tmp/a', b'/tmp/a/b')
call('chroot', 161, b'/tmp/a')
call('open_tree', 428, -100, b'/', 1)
call('fsopen', 430, b'tmpfs', 0)
call('mount_setattr', 442, -100, b'/', 0, 0, 0)
"""
        + PREDICT,
        shows=("EPERM",),
    ),
    Case(
        "namespaces",
        "makes namespaces of its own, in which it would be root, and enters others",
        program=CALL
        + """
for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x04000000, 0x08000000, 0x02000000):
    call(f'unshare {flag:#x}', 272, flag)
for name in ('mnt', 'net', 'pid', 'user', 'ipc', 'uts', 'cgroup'):
    def enter():
        with open(f'/proc/1/ns/{name}') as file:
            if libc.setns(file.fileno(), 0):
                raise OSError
    do(f'enter {name}', enter)
"""
        + PREDICT,
        shows=("EPERM", "tried enter net"),
    ),
    Case(
        "keyring",
        "keeps notes for the next program in the kernel's keyrings, and reads others' keys",
        program=CALL
        + """
for ring in (-3, -4, -5):
    call(f'add to {ring}', 248, b'user', b'podium-note', b'hello', 5, ring)
    call(f'search {ring}', 250, 10, ring, b'user', b'podium-note', 0)
call('request', 249, b'user', b'podium-note', 0, -3)
if os.path.exists('/proc/keys') and open('/proc/keys').read().strip():
    print('GOT keys')
"""
        + PREDICT,
        shows=("tried request",),
    ),
    Case(
        "kernel",
        "loads code into the kernel, and looks into it",
        program=CALL
        + """
call('bpf', 321, 0, struct.pack('IIII', 2, 4, 4, 1) + bytes(56), 72)
call('bpf program', 321, 5, bytes(120), 120)
call('perf_event_open', 298, struct.pack('II', 0, 112) + bytes(104), 0, -1, -1, 0)
call('userfaultfd', 323, 0)
call('init_module', 175, b'', 0, b'')
call('finit_module', 313, 0, b'', 0)
call('kexec', 246, 0, 0, 0, 0)
call('reboot', 169, 0xfee1dead, 672274793, 0x89abcdef, 0)
call('syslog', 103, 3, bytes(100), 100)
call('swapon', 167, b'/tmp/a', 0)
call('acct', 163, b'/tmp/a')
call('quotactl', 179, 0x800002, 0, 0, 0)
call('handle', 304, -100, bytes(64), 0)
call('iopl', 172, 3)
call('vhangup', 153)
"""
        + PREDICT,
        shows=("tried vhangup", "EPERM"),
    ),
    Case(
        "io-uring",
        "does its work where no filter of system calls sees it; engines before version 25 let it",
        program=CALL + "call('io_uring', 425, 4, bytes(120))\n" + PREDICT,
        shows=("EPERM",),
        executors=("bubblewrap",),
    ),
    Case(
        "clock-and-name",
        "changes the clock and the name of the host",
        program=CALL
        + """
import time
do('clock', time.clock_settime, time.CLOCK_REALTIME, 0.0)
do('name', socket.sethostname, 'owned')
call('domain', 171, b'owned', 5)
call('adjust', 159, struct.pack('I', 1) + bytes(204))
print(socket.gethostname())
"""
        + PREDICT,
        shows=("PermissionError", "podium"),
    ),
    Case(
        "raw-sockets",
        "sends packets of its own making",
        program=CALL
        + """
do('icmp', socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
do('packets', socket.socket, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
def interface():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        import fcntl
        fcntl.ioctl(one, 0x8914, struct.pack('16sh14x', b'lo', 0))
do('interface down', interface)
"""
        + PREDICT,
        shows=("PermissionError",),
    ),
    Case(
        "system-files",
        "writes to the kernel's files",
        program=CALL
        + """
for path, text in (
    ('/proc/sys/kernel/core_pattern', '|/app/program/run.py'), ('/proc/sys/kernel/hostname', 'owned'),
    ('/proc/sys/vm/overcommit_memory', '1'), ('/proc/sysrq-trigger', 'h'), ('/proc/1/oom_score_adj', '-1000'),
    ('/proc/self/oom_score_adj', '-1000'), ('/sys/fs/cgroup/memory/memory.limit_in_bytes', '-1'),
    ('/sys/fs/cgroup/memory.max', 'max'), ('/sys/fs/cgroup/pids/pids.max', 'max'), ('/sys/kernel/uevent_helper', 'x'),
    ('/sys/fs/cgroup/memory/release_agent', '/app/program/run.py'), ('/dev/kmsg', 'owned'), ('/dev/mem', 'x'),
    ('/etc/passwd', 'root::0:0::/:/bin/sh'), ('/proc/self/setgroups', 'allow'), ('/proc/self/uid_map', '0 0 1'),
):
    def write():
        with open(path, 'w') as file:
            file.write(text)
    do(path, write)
"""
        + PREDICT,
        shows=("tried /dev/mem",),
    ),
    Case(
        "priorities",
        "takes precedence over its neighbours",
        program=CALL
        + """
do('nice', os.setpriority, os.PRIO_PROCESS, 0, -20)
do('realtime', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)))
do('deadline', lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)))
import resource
do('files', resource.setrlimit, resource.RLIMIT_FSIZE, (1 << 50, 1 << 50))
do('locked memory', resource.setrlimit, resource.RLIMIT_MEMLOCK, (1 << 50, 1 << 50))
call('io priority', 251, 1, 0, (1 << 13) | 0)
"""
        + PREDICT,
        shows=("PermissionError", "tried io priority"),
    ),
    Case(
        "core-dump",
        "dies so that its memory would be written to the host",
        program=PREDICT + "import os, resource, signal\nprint(resource.getrlimit(resource.RLIMIT_CORE))\n"
        "if not os.fork():\n    os.chdir('/app/output')\n    os.kill(os.getpid(), signal.SIGQUIT)\nos.wait()\n",
        shows=("(0, 0)",),
        lacks=("core",),
    ),
)
