"""What `tests/session` has written down is what kube-apiserver answers."""

from pathlib import Path

import pytest
from tests.cluster import kubernetes
from tests.session import play


@pytest.mark.machine
@pytest.mark.timeout(600)
def test_kube_apiserver_answers_as_is_written_down(tmp_path: Path):
    if why := kubernetes.missing():
        pytest.skip(why)
    made = kubernetes.Kubernetes(tmp_path)
    try:
        made.start_bare()
        with made.client() as client:
            for topic in play.TOPICS:
                assert play.play(client, topic) == play.written(topic)
    finally:
        made.stop()
