import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semafor.kube.images.image import Image
from semafor.kube.images.shelf import Shelf, key, remove_tree


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def fill(folder: Path) -> None:
    (folder / "file").write_text("x" * 5000)


def image(shelf: Shelf, ref: str, *keys: str) -> Image:
    layers = tuple(str(shelf.make_layer(name, fill)) for name in keys)
    made = Image(ref=ref, id=f"sha256:{ref}", layers=layers)
    shelf.write(made)
    return made


def test_an_image_is_read_as_it_was_written(shelf):
    made = image(shelf, "docker.io/library/a:1", "one", "two")
    assert shelf.read("docker.io/library/a:1") == made
    assert shelf.images() == (made,)


def test_a_layer_is_made_once(shelf):
    shelf.make_layer("one", fill)
    shelf.make_layer("one", lambda _: pytest.fail("made again"))


def test_a_layer_that_fails_leaves_nothing(shelf):
    with pytest.raises(ZeroDivisionError):
        shelf.make_layer("one", lambda _: 1 / 0)
    assert shelf.layer("one") is None
    assert list((shelf.folder / "work").iterdir()) == []


def test_an_image_without_one_of_its_layers_is_no_image(shelf):
    made = image(shelf, "a:1", "one", "two")
    remove_tree(Path(made.layers[1]))
    assert shelf.read("a:1") is None
    assert shelf.images() == ()


def test_a_damaged_name_is_no_image(shelf):
    image(shelf, "a:1", "one")
    next((shelf.folder / "refs").iterdir()).write_text("{")
    assert shelf.read("a:1") is None


def names(shelf: Shelf) -> list[str]:
    return sorted(path.name for path in (shelf.folder / "layers").iterdir())


def test_layers_that_nothing_uses_are_collected(tmp_path):
    earlier = Shelf(tmp_path)
    image(earlier, "a:1", "shared", "only-a")
    image(earlier, "b:1", "shared", "only-b")
    assert earlier.forget("a:1")
    assert not earlier.forget("a:1")
    del earlier
    gc.collect()
    later = Shelf(tmp_path)
    assert later.collect(unused_for_s=60) == 0
    assert later.collect(unused_for_s=0) >= 5000
    assert names(later) == ["only-b", "shared"]


def test_a_layer_that_a_process_uses_is_never_collected(shelf):
    shelf.make_layer("mine", fill)
    other = Shelf(shelf.folder)
    assert other.collect(unused_for_s=0) == 0
    assert shelf.layer("mine") is not None


def test_what_a_killed_process_left_is_cleaned_and_living_work_is_not(shelf):
    code = (
        "import os, sys; from pathlib import Path; from semafor.kube.images.shelf import Shelf\n"
        "with Shelf(Path(sys.argv[1])).workspace() as w:\n (w / 'd').mkdir(mode=0); os.kill(os.getpid(), 9)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(shelf.folder)],
        check=False,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert len(list((shelf.folder / "work").iterdir())) == 1
    with shelf.workspace() as living:
        shelf.clean()
        assert list((shelf.folder / "work").iterdir()) == [living]


def test_keys_differ_when_anything_does():
    assert key("a", ("b", 1)) == key("a", ["b", 1])
    assert len({key("a", "b"), key("ab"), key(["a", "b"]), key("a", "b", None)}) == 4
