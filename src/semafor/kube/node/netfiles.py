"""The files by which a pod knows names: /etc/hosts, /etc/resolv.conf, /etc/hostname. Pure, in Kubernetes' layout."""

from typing import Any

from semafor.base.names import CLUSTER_DOMAIN
from semafor.base.struct import Value

Json = dict[str, Any]

MAX_HOSTNAME = 63

_HOSTS = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


class Resolver(Value):
    """A resolv.conf: of the host, or of a pod."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def hostname(pod: Json) -> str:
    """The pod's host name: spec.hostname, else its name, as far as a host name may be long."""
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:MAX_HOSTNAME].rstrip("-.")


def domain(pod: Json) -> str:
    """The domain of a pod with a subdomain (a headless service's name); else empty."""
    subdomain = pod["spec"].get("subdomain")
    return f"{subdomain}.{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}" if subdomain else ""


def hosts(pod: Json, ip: str) -> str:
    name, inside = hostname(pod), domain(pod)
    own = f"{ip}\t{name}.{inside}\t{name}\n" if inside else f"{ip}\t{name}\n"
    aliases = pod["spec"].get("hostAliases") or []
    lines = [f"{alias['ip']}\t" + "\t".join(alias.get("hostnames") or []) + "\n" for alias in aliases]
    return _HOSTS + own + ("\n# Entries added by HostAliases.\n" + "".join(lines) if lines else "")


def resolver(pod: Json, cluster_dns: str, host: Resolver) -> Resolver:
    """What a pod's lookups go to.

    With dnsPolicy Default a pod asks the cluster's server as well, which asks the host's: UDP does not leave the node.
    """
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    if policy == "None":
        base = Resolver()
    elif policy == "Default" or (policy == "ClusterFirst" and pod["spec"].get("hostNetwork")):
        base = Resolver(nameservers=(cluster_dns,), searches=host.searches)
    else:
        inside = (f"{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
        base = Resolver(nameservers=(cluster_dns,), searches=(*inside, *host.searches), options=("ndots:5",))
    return _with_config(base, pod["spec"].get("dnsConfig") or {})


def _with_config(base: Resolver, config: Json) -> Resolver:
    options = dict(option.partition(":")[::2] for option in base.options)
    options.update({option["name"]: option.get("value") or "" for option in config.get("options") or []})
    return Resolver(
        nameservers=_distinct((*base.nameservers, *(config.get("nameservers") or []))),
        searches=_distinct((*base.searches, *(config.get("searches") or []))),
        options=tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def text(resolver_: Resolver) -> str:
    """The resolv.conf file."""
    lines = [f"search {' '.join(resolver_.searches)}"] if resolver_.searches else []
    lines += [f"nameserver {address}" for address in resolver_.nameservers]
    lines += [f"options {' '.join(resolver_.options)}"] if resolver_.options else []
    return "".join(line + "\n" for line in lines)


def parse(resolv_conf: str) -> Resolver:
    """Read a resolv.conf. Source: resolv.conf(5); the last search line counts."""
    nameservers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in resolv_conf.splitlines():
        word, *rest = line.split("#")[0].split() or [""]
        if word == "nameserver" and rest:
            nameservers.append(rest[0])
        elif word in ("search", "domain"):
            searches = tuple(name for name in rest if name != ".")
        elif word == "options":
            options = tuple(rest)
    return Resolver(nameservers=tuple(nameservers), searches=searches, options=options)
