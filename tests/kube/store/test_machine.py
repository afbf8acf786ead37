"""Whatever the order of writes, restarts and watches: every watch sees every change exactly once, in order."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from semafor.kube import store
from semafor.kube.store import Store

NAMES = st.sampled_from(["a", "b", "c"])
NAMESPACES = st.sampled_from(["one", "two"])


def replay(base: dict, events: list[store.Event]) -> dict:
    """The objects that a client holds after a list and the events that followed it."""
    held = dict(base)
    for event in events:
        key = event.object["metadata"]["namespace"], event.object["metadata"]["name"]
        assert (event.type == "ADDED") == (key not in held)
        if event.type == "DELETED":
            del held[key]
        else:
            held[key] = event.object
    return held


class Machine(RuleBasedStateMachine):
    watches = Bundle("watches")

    @initialize()
    def start(self):
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(self.folder / "s.db")
        self.model: dict = {}
        self.history: list[tuple[str, int]] = []
        self.followers: list[tuple[store.Watch, int, dict, list]] = []

    def teardown(self):
        self.loop.run_until_complete(self.store.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    def objects(self) -> dict:
        return {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in self.store.list("pods")[0]}

    async def burst(self, writes):
        async def one(verb, namespace, name, value):
            obj = {"metadata": {"namespace": namespace, "name": name}, "value": value}
            try:
                if verb == "create":
                    done = await self.store.create("pods", obj)
                elif verb == "update":
                    done = await self.store.update("pods", obj, expected=None)
                else:
                    done = await self.store.delete("pods", namespace, name)
            except store.StoreError:
                return None
            return verb, done

        return await asyncio.gather(*(one(*write) for write in writes))

    @rule(
        writes=st.lists(
            st.tuples(st.sampled_from(["create", "update", "delete"]), NAMESPACES, NAMES, st.integers(0, 9)),
            min_size=1,
            max_size=8,
        )
    )
    def write_at_once(self, writes):
        for done in self.loop.run_until_complete(self.burst(writes)):
            if done is None:
                continue
            verb, obj = done
            self.history.append((verb, int(obj["metadata"]["resourceVersion"])))
            key = obj["metadata"]["namespace"], obj["metadata"]["name"]
            if verb == "delete":
                del self.model[key]
            else:
                self.model[key] = obj

    @rule()
    def follow(self):
        version = self.store.resource_version
        self.followers.append((self.store.watch("pods", version), version, self.objects(), []))

    @rule()
    def restart(self):
        self.loop.run_until_complete(self.store.close())
        self.followers.clear()
        self.store = Store.open(self.folder / "s.db")

    @invariant()
    def readers_see_the_model(self):
        if hasattr(self, "store"):
            assert self.objects() == self.model

    @invariant()
    def watches_saw_every_change_once_in_order(self):
        words = {"create": "ADDED", "update": "MODIFIED", "delete": "DELETED"}
        for watch, since, base, events in getattr(self, "followers", []):
            events.extend(watch.ready())
            expected = [
                (words[verb], version) for verb, version in sorted(self.history, key=lambda h: h[1]) if version > since
            ]
            assert [(event.type, event.resource_version) for event in events] == expected
            assert replay(base, events) == self.model


Machine.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestMachine = Machine.TestCase
