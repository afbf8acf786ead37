"""Programs in running containers: exec and attach."""

import asyncio

import pytest
from tests.kube.node.machine_room import Room, everything, lines, until

from semafor.kube.node.spec import Gone, StartError

pytestmark = pytest.mark.machine


async def test_exec_has_three_streams_and_an_exit_code(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    program = await here.runtime.exec("a", "main", ["sh", "-c", "cat; echo oops >&2; exit 5"], tty=False, stdin=True)
    assert program.stdin
    reading = asyncio.ensure_future(everything(program))
    await program.stdin.write(b"x" * 300_000)
    await program.stdin.close()
    assert await reading == "x" * 300_000 + "oops\n"
    assert await program.wait() == 5


async def test_exec_gives_a_terminal_that_can_be_resized(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    program = await here.runtime.exec("a", "main", ["sh"], tty=True, stdin=True)
    assert program.stdin
    program.resize(50, 132)
    await program.stdin.write(b"tty; stty size; echo $TERM\n")
    assert "/dev/pts/0\r\n50 132\r\nxterm" in await until(program, "xterm\r\n")
    await program.stdin.write(b"exit 6\n")
    assert await asyncio.wait_for(program.wait(), 10) == 6


async def test_exec_can_be_killed(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    program = await here.runtime.exec("a", "main", ["sh", "-c", "sleep 100; true"], tty=False, stdin=False)
    program.kill()
    assert await asyncio.wait_for(program.wait(), 10) == 137


async def test_whoever_reads_a_killed_program_sees_its_end(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    program = await here.runtime.exec("a", "main", ["sleep", "100"], tty=False, stdin=False)
    reading = asyncio.ensure_future(everything(program))
    await asyncio.sleep(0)
    program.kill()
    assert await asyncio.wait_for(reading, 10) == ""


async def test_a_full_pipe_slows_the_program_and_loses_nothing(here: Room) -> None:
    await here.pod("a")
    await here.shell("a", "read go; head -c 3000000 /dev/zero | tr '\\0' z; exec sleep 100", stdin=True)
    program = await here.runtime.attach("a", "main", tty=False, stdin=True)
    assert program.stdin
    await program.stdin.write(b"go\n")
    # Other requests are answered while this client reads nothing.
    assert (await here.output("a", "true"))[0] == 0
    assert len(await until(program, "z" * 3_000_000)) == 3_000_000


async def test_exec_of_what_is_not_there_is_refused(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    with pytest.raises(StartError, match="not found in \\$PATH") as missing:
        await here.runtime.exec("a", "main", ["no-such-thing"], tty=False, stdin=False)
    assert missing.value.code == 127
    with pytest.raises(Gone, match="other"):
        await here.runtime.exec("a", "other", ["true"], tty=False, stdin=False)


async def test_attach_talks_to_the_main_process_and_hears_what_it_said_before(here: Room) -> None:
    await here.pod("a")
    log = await here.shell("a", "echo who?; read name; echo hello $name; cat; exit 2", stdin=True, stdin_once=True)
    program = await here.runtime.attach("a", "main", tty=False, stdin=True)
    await until(program, "who?\n")
    assert program.stdin
    await program.stdin.write(b"world\nmore\n")
    await program.stdin.close()
    assert await everything(program) == "hello world\nmore\n"
    assert (await program.wait(), (await here.exit()).code) == (2, 2)
    assert [text for _, _, text in lines(log)] == ["who?", "hello world", "more"]


async def test_attach_gives_the_containers_own_terminal(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sh", "-i", stdin=True, tty=True)
    program = await here.runtime.attach("a", "main", tty=True, stdin=True)
    assert program.stdin
    program.resize(11, 22)
    await program.stdin.write(b"stty size; exit 9\n")
    assert "11 22\r\n" in await everything(program)
    assert await program.wait() == 9
