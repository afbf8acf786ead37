"""`python -m tests.session`: ask a real API server anew, and write down its answers (wants `make kubernetes`)."""

import tempfile
from pathlib import Path

import ryaml
from tests.cluster.kubernetes import Kubernetes
from tests.session import play


def main() -> None:
    """Write all answers."""
    with tempfile.TemporaryDirectory() as folder:
        kubernetes = Kubernetes(Path(folder))
        try:
            kubernetes.start_bare()
            with kubernetes.client() as client:
                for topic in play.TOPICS:
                    play.answers_file(topic).write_text(ryaml.dumps(play.play(client, topic)))
        finally:
            kubernetes.stop()


if __name__ == "__main__":
    main()
