"""What RUN asks for: its command, and the folders that it shares with other builds."""

from semafor.kube.images import shelf
from semafor.kube.images.dockerfile import Instruction
from semafor.kube.images.errors import DockerfileError
from semafor.kube.images.stage import Stage

# Downloads of package managers, as (name of the shared folder, path inside).
_DOWNLOADS = (("pip", "/root/.cache/pip"), ("npm", "/root/.npm"))


def argv(built: Stage, instruction: Instruction) -> tuple[str, ...]:
    """The command: a list as it stands, anything else given to the shell, with its documents."""
    if instruction.exec:
        return instruction.words
    documents = instruction.heredocs
    if documents and instruction.text.startswith("<<") and len(instruction.text.split()) == 1:
        return (*built.config.shell, documents[0].body)
    bodies = "".join(f"\n{doc.body}{doc.name}" for doc in documents)
    return (*built.config.shell, f"{instruction.text}{bodies}")


def network(instruction: Instruction) -> bool:
    """Whether the command has the machine's network. Raises DockerfileError."""
    value = instruction.flag("network") or "default"
    if value not in ("default", "host", "none"):
        raise DockerfileError(instruction.line, f"RUN --network={value} is not supported; leave it out")
    return value != "none"


def caches(instruction: Instruction) -> tuple[tuple[str, str], ...]:
    """The shared folders, as (name, path inside): downloads, and what --mount=type=cache asks for."""
    found = {inside: name for name, inside in _DOWNLOADS}
    for value in (value for name, value in instruction.flags if name == "mount"):
        options = dict(part.partition("=")[::2] for part in value.split(","))
        target = options.get("target") or options.get("dst") or options.get("destination") or ""
        if options.get("type", "bind") != "cache" or not target.startswith("/"):
            raise DockerfileError(
                instruction.line, f"RUN --mount={value} is not supported; only type=cache with an absolute target is"
            )
        found.setdefault(target, shelf.key("mount", options.get("id") or target))
    return tuple((name, inside) for inside, name in found.items())
