"""What a container sees, and how it ends."""

import os
import signal

import pytest
from tests.kube.node.machine_room import Room, eventually, lines, processes_with, until

from semafor.kube.node.spec import Gone, Mount, StartError

pytestmark = pytest.mark.machine


async def test_containers_of_a_pod_do_not_see_each_others_files_and_processes(here: Room) -> None:
    await here.pod("a")
    await here.shell("a", "echo secret > /tmp/mine; sleep 100", name="one")
    await here.run("a", "sleep", "100", name="two")
    assert (await here.output("a", "ls", "/tmp", name="two"))[1] == ""
    shown = (await here.output("a", "sh", "-c", "cat /proc/[0-9]*/comm", name="two"))[1].split()
    assert shown == ["semafor-holder", "sleep", "sh"]


async def test_a_container_has_a_root_devices_and_a_host_name_of_its_own(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100", env=(("COLOUR", "green"),), cwd="/usr")
    script = "hostname; pwd; echo $COLOUR; ls /home /root /var 2>&1 | wc -l; wc -c < /dev/null; echo y > /dev/shm/y"
    code, text = await here.output("a", "sh", "-c", script)
    assert (code, text.split()) == (0, ["host-a", "/usr", "green", "3", "0"])


async def test_a_program_inherits_no_open_file_of_ours(here: Room) -> None:
    await here.pod("a")
    log = await here.shell("a", "ls /proc/self/fd", name="first")
    await here.exit()
    await here.run("a", "sleep", "100")
    assert [text for _, _, text in lines(log)] == ["0", "1", "2", "3"]  # 3: the folder that ls reads
    assert (await here.output("a", "ls", "/proc/self/fd"))[1].split() == ["0", "1", "2", "3"]


async def test_the_kernels_settings_are_out_of_reach(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    for file in ("/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger", "/sys/kernel/uevent_seqnum"):
        assert (await here.output("a", "sh", "-c", f"echo 1 > {file}"))[0] != 0, file
    status = dict(line.split(":\t", 1) for line in (await here.output("a", "cat", "/proc/self/status"))[1].splitlines())
    assert (status["NoNewPrivs"], int(status["CapEff"], 16) & 1 << 21) == ("1", 0)  # 21: CAP_SYS_ADMIN
    assert (await here.output("a", "unshare", "-m", "true"))[0] != 0


async def test_what_tells_about_the_machine_is_hidden(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    look = "cat /proc/kcore /proc/keys /proc/timer_list; ls -A /proc/acpi /sys/firmware | grep -v :"
    look = f"({look}) 2>/dev/null"
    assert (await here.output("a", "sh", "-c", look))[1].strip() == ""


async def test_mounts_appear_where_they_should(here: Room) -> None:
    shared = here.folder / "shared"
    shared.mkdir()
    (shared / "in").write_text("from outside")
    await here.pod("a")
    mounts = (
        Mount(source=str(shared), target="/data/rw"),
        Mount(source=str(shared), target="/data/ro", read_only=True),
        Mount(source=str(shared / "in"), target="/tmp/one-file", read_only=True),
        Mount(source="", target="/scratch", kind="tmpfs", size_bytes=1 << 20),
    )
    await here.run("a", "sleep", "100", mounts=mounts)
    assert (await here.output("a", "cat", "/data/ro/in", "/tmp/one-file"))[1] == "from outside" * 2
    assert (await here.output("a", "sh", "-c", "echo inside > /data/rw/out"))[0] == 0
    assert (shared / "out").read_text() == "inside\n"
    assert (await here.output("a", "sh", "-c", "echo x > /data/ro/out"))[0] != 0
    assert (await here.output("a", "sh", "-c", "head -c 2000000 /dev/zero > /scratch/big"))[0] != 0


async def test_orphans_are_reaped(here: Room) -> None:
    await here.pod("a")
    await here.shell("a", "(sh -c 'exec sleep 0.1' &) ; exec sleep 100")

    async def only_the_usual() -> bool:
        states = (
            "import os; print(*(open(f'/proc/{p}/stat').read().split()[1] for p in os.listdir('/proc') if p.isdigit()))"
        )
        return (await here.output("a", "python3", "-c", states))[1].split() == [
            "(semafor-holder)",
            "(sleep)",
            "(python3)",
        ]

    await eventually(only_the_usual)


async def test_killing_a_container_kills_all_of_its_processes_and_no_others(here: Room) -> None:
    await here.pod("a")
    marker = f"9{os.getpid()}"
    await here.shell("a", f"setsid sleep {marker} & setsid sleep {marker} & exec sleep {marker}", name="many")
    await here.run("a", "sleep", "100", name="other")
    await here.runtime.signal("a", "many", signal.SIGKILL)
    ended = await here.exit()
    assert (ended.container, ended.code, ended.signal) == ("many", 137, 9)
    assert processes_with(marker) == []
    assert (await here.output("a", "true", name="other"))[0] == 0


async def test_what_a_program_leaves_behind_ends_with_it(here: Room) -> None:
    await here.pod("a")
    marker = f"8{os.getpid()}"
    await here.shell("a", f"sleep {marker} & exit 4")
    assert (await here.exit()).code == 4
    assert processes_with(marker) == []


@pytest.mark.parametrize(
    ("script", "code", "number", "reason"),
    [
        ("exit 0", 0, 0, "Completed"),
        ("exit 7", 7, 0, "Error"),
        ("kill -TERM $$", 143, 15, "Error"),
        ("kill -SEGV $$", 139, 11, "Error"),
        ("kill -KILL $$", 137, 9, "Error"),
    ],
)
async def test_an_end_is_reported_exactly(here: Room, script: str, code: int, number: int, reason: str) -> None:
    await here.pod("a")
    await here.shell("a", script)
    ended = await here.exit()
    assert (ended.uid, ended.container, ended.code, ended.signal, ended.reason) == ("a", "main", code, number, reason)


async def test_a_signal_goes_to_the_main_process(here: Room) -> None:
    await here.pod("a")
    log = await here.shell("a", "trap 'echo asked; exit 3' TERM; echo up; while :; do sleep 0.01; done", stdin=True)
    await until(await here.runtime.attach("a", "main", tty=False, stdin=False), "up")
    await here.runtime.signal("a", "main", signal.SIGTERM)
    assert (await here.exit()).code == 3
    assert lines(log)[-1] == ("stdout", "F", "asked")
    with pytest.raises(Gone):
        await here.runtime.signal("a", "main", signal.SIGTERM)


async def test_a_container_over_its_memory_limit_is_killed(here: Room) -> None:
    await here.pod("a")
    await here.run(
        "a", "python3", "-c", "x = bytearray(b'1' * 100_000_000); import time; time.sleep(60)", memory_bytes=50_000_000
    )
    ended = await here.exit()
    assert (ended.code, ended.reason) == (137, "OOMKilled")


async def test_a_program_that_cannot_start_says_why(here: Room) -> None:
    await here.pod("a")
    with pytest.raises(StartError, match='exec: "no-such-thing": executable file not found in \\$PATH') as missing:
        await here.run("a", "no-such-thing")
    with pytest.raises(StartError, match='exec: "/etc/passwd": permission denied') as denied:
        await here.run("a", "/etc/passwd")
    with pytest.raises(StartError, match="chdir"):
        await here.run("a", "true", cwd="/nowhere")
    assert (missing.value.code, denied.value.code) == (127, 126)
    await here.run("a", "true")
    assert (await here.exit()).code == 0


async def test_a_mount_that_cannot_be_made_says_which(here: Room) -> None:
    await here.pod("a")
    with pytest.raises(StartError, match="/no/such/source"):
        await here.run("a", "true", mounts=(Mount(source="/no/such/source", target="/x"),))


async def test_logs_keep_both_streams_in_the_format_of_kubernetes(here: Room) -> None:
    await here.pod("a")
    log = await here.shell("a", "echo one; echo two >&2; head -c 20000 /dev/zero | tr '\\0' x; echo; printf end")
    await here.exit()
    found = lines(log)
    assert ("stderr", "F", "two") in found
    assert [line for line in found if line[0] == "stdout"] == [
        ("stdout", "F", "one"),
        ("stdout", "P", "x" * 16384),
        ("stdout", "F", "x" * (20000 - 16384)),
        ("stdout", "F", "end"),
    ]
