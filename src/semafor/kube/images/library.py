"""The images of one home: find, list, build, remove."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from semafor.kube.images import builder, catalogue, machine, recipe, reference, rootfs, shelf, skeleton
from semafor.kube.images.errors import ImageError
from semafor.kube.images.host import Host
from semafor.kube.images.image import Image
from semafor.kube.images.mounts import MountOp
from semafor.kube.images.steps import Steps

# Layers that no image uses any more stay this long, because the next build may need them.
_CACHE_KEPT_S = 7 * 24 * 3600.0


class Images:
    """The images below `folder`: those that were built, and the well-known ones.

    `environ` are the caller's environment variables: builds take from them how to reach registries, and where Node.js
    is. `tools` are files of the host that the sidecar's image shows, as path inside -> path on the host.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] | None = None, tools: Mapping[str, str] | None = None
    ) -> None:
        self._environ = dict(environ or {})
        self._tools = dict(tools or {})
        self._shelf = shelf.Shelf(folder)
        self._host: Host | None = None

    @property
    def host(self) -> Host:
        """This machine, looked at once, with the skeleton that all roots stand on, made when it is missing."""
        if self._host is None:
            seen = Host.detect(search_path=self._environ.get("PATH", ""))
            key = skeleton.fingerprint(seen)
            layer = self._shelf.make_layer(key, lambda folder: skeleton.make(seen, folder))
            self._host = msgspec.structs.replace(seen, skeleton=str(layer))
        return self._host

    def find(self, ref: str) -> Image | None:
        """The image of a name, however it is written; built ones go before well-known ones. None: see `explain`.

        The first use of a well-known image makes its layers: milliseconds, for `python` about a second.
        """
        try:
            return self._find(ref)
        except ImageError:
            return None

    def explain(self, ref: str) -> str:
        """Why there is no such image, and what to do; empty when there is one."""
        try:
            self._find(ref)
        except ImageError as error:
            return str(error)
        return ""

    def list(self) -> tuple[Image, ...]:
        """The built images, by name."""
        return self._shelf.images()

    def remove(self, ref: str) -> bool:
        """Forget a built image; False when there was none. Its layers go with the next `collect`."""
        return self._shelf.forget(str(reference.parse(ref)))

    def collect(self, *, unused_for_s: float = _CACHE_KEPT_S) -> int:
        """Remove layers that no image and no living process uses; the bytes freed."""
        return self._shelf.collect(unused_for_s=unused_for_s)

    def clean(self) -> None:
        """Remove what killed builds left; to be called at the start."""
        self._shelf.clean()

    def plan(self, image: Image, writable: str) -> tuple[MountOp, ...]:
        """The mounts of a container's root. `writable` is an existing folder of its own; empty makes it read-only."""
        return rootfs.plan(rootfs.Root(layers=image.layers, writable=writable, binds=image.binds), self.host)

    async def build(
        self,
        context: Path,
        *,
        dockerfile: Path | None = None,
        tag: str,
        args: Mapping[str, str] | None = None,
        progress: Callable[[builder.Event], None] = lambda _: None,
    ) -> Image:
        """Build a folder's Dockerfile and give the image a name. Raises ImageError.

        `dockerfile` is by default the folder's own. `progress` is called from this task, for every line of output.
        """
        folder = await asyncio.to_thread(_folder, context)
        request = builder.Request(
            context=folder, dockerfile=dockerfile or folder / "Dockerfile", tag=tag, args=tuple((args or {}).items())
        )
        await asyncio.to_thread(self.clean)
        host = await asyncio.to_thread(lambda: self.host)
        steps = Steps(self._shelf, host, machine.look(self._environ))
        build = builder.Build(self._shelf, steps, find=self._find, progress=progress, request=request)
        image = await build.run()
        await asyncio.to_thread(self.collect)
        return image

    def _find(self, text: str) -> Image:
        ref = reference.parse(text)
        built = self._shelf.read(str(ref))
        gone = next((source for source, _ in built.binds if not Path(source).exists()), "") if built else ""
        if gone:
            raise ImageError(f"{ref.name}:{ref.tag} was built with {gone}, which is no longer there: build it again")
        return built or self._known(ref)

    def _known(self, ref: reference.Reference) -> Image:
        """The well-known image of a name. Raises ImageError with what to do when there is none."""
        found = catalogue.find(ref, self.host, self._tools)
        if found is None:
            raise ImageError(
                f"no image {ref.name}:{ref.tag}, and nothing is pulled from registries: build one with a Dockerfile, "
                f"`semafor build -t {ref.name}:{ref.tag} FOLDER`, or use one that `semafor images` lists"
            )
        if found.missing:
            raise ImageError(found.missing)
        layers = recipe.layers(found, self.host, self._shelf)
        content = msgspec.to_builtins(msgspec.structs.replace(found, notes=()))
        return Image(
            ref=str(ref),
            id=shelf.identity(layers, content),
            layers=layers,
            config=found.config,
            binds=found.binds,
            notes=found.notes,
        )


def _folder(context: Path) -> Path:
    folder = context.resolve()
    if not folder.is_dir():
        raise ImageError(f"{context} is not a folder: name the one with the Dockerfile")
    return folder
