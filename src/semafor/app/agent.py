"""The node's agent, as the daemon starts it: what it does for pods in general, and their proxies' keys."""

from collections.abc import Mapping

from semafor.kube.node import agent, supervisor

KEY = "key"


def _answers() -> Mapping[str, supervisor.Extra]:
    """Loaded where supervisors are forked from, so that they share its memory."""
    from semafor.ca import pod_keys

    pod_keys.prepare()
    return {KEY: pod_keys.answer}


if __name__ == "__main__":
    agent.main(_answers)
