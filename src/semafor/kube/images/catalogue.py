"""What well-known images are on this machine: one row for each, with its reason. Nothing is ever downloaded.

A row's recipe is made of the host's own programs and of small programs of ours (`programs/`). What a row cannot be on
this machine it says in a sentence.
"""

from collections.abc import Callable, Mapping

from semafor.base.struct import Value
from semafor.kube.images import echoes, environment
from semafor.kube.images.host import Host, prefixes
from semafor.kube.images.image import Config
from semafor.kube.images.recipe import Recipe, program
from semafor.kube.images.reference import Reference

# Docker's shells run without arguments when a container has no command.
_SHELL = ("sh",)


class Offer(Value):
    """What a recipe may use: the host, and files of the caller's, as path inside -> path on the host."""

    host: Host
    tools: tuple[tuple[str, str], ...] = ()

    def has(self, name: str) -> bool:
        """Whether the host has a program where containers look for it."""
        path = self.host.program(name)
        return bool(path) and not prefixes(path)


class Row(Value):
    """`names` are repositories, without registry where that is Docker's; `reason` says why the row is here."""

    names: tuple[str, ...]
    reason: str
    recipe: Callable[[Offer, Reference], Recipe]


def _env(host: Host, **more: str) -> tuple[tuple[str, str], ...]:
    return (("PATH", host.search_path), *more.items())


# What Dockerfiles install with; see programs/installer.py.
_INSTALLERS = ("apt", "apt-get", "apk", "dnf", "microdnf", "yum")


def _installers(host: Host) -> tuple[tuple[str, str], ...]:
    """Package installers that take what the machine has, and name what it lacks."""
    command = "/usr/local/lib/semafor/install"
    scripts = ((f"/usr/local/bin/{name}", f'#!/bin/sh\nexec {command} {name} "$@"\n') for name in _INSTALLERS)
    return (*program(host, "installer", command), *scripts)


def _tag_version(ref: Reference) -> str:
    """The version that a tag asks for: `3.9` of `3.9-slim`, empty for `latest` and `slim`."""
    version = ref.tag.split("-")[0]
    return version if version[:1].isdigit() else ""


def _python(offer: Offer, ref: Reference) -> Recipe:
    host = offer.host
    asked = _tag_version(ref)
    notes: tuple[str, ...] = ()
    if asked and asked.split(".")[:2] != host.python_version.split(".")[: len(asked.split(".")[:2])]:
        notes = (f"{ref.name}:{ref.tag} is this machine's Python {host.python_version} here ({asked} was asked for)",)
    return Recipe(
        config=Config(env=environment.variables(host), cmd=("python3",)),
        files=_installers(host),
        links=environment.usual_names(host, asked),
        binds=host.prefixes,  # so that an image keeps its interpreter when the mesh moves to another
        notes=notes,
        python=True,
    )


def _language(name: str, title: str, *command: str) -> Callable[[Offer, Reference], Recipe]:
    """An image that is one of the host's programs and what lies beside it."""

    def recipe(offer: Offer, ref: Reference) -> Recipe:
        path = offer.host.program(name)
        if not path:
            return Recipe(missing=f"{ref.name} needs {title}, which this machine does not have: install it")
        shown = prefixes(path)
        search_path = ":".join((offer.host.search_path, *(f"{inside}/bin" for _, inside in shown)))
        config = Config(env=(("PATH", search_path),), cmd=command)
        note = f"{ref.name}:{ref.tag} is this machine's {title} here ({path})"
        notes = (note,) if _tag_version(ref) else ()
        return Recipe(config=config, files=_installers(offer.host), binds=shown, notes=notes)

    return recipe


def _host_tools(offer: Offer, ref: Reference) -> Recipe:
    note = f"{ref.name} is this machine's own programs here, not {ref.name}'s"
    files = (*_wget(offer), *_nc(offer), *_installers(offer.host))
    return Recipe(config=Config(env=_env(offer.host), cmd=_SHELL), files=files, notes=(note,))


def _busybox(offer: Offer, ref: Reference) -> Recipe:
    recipe = _host_tools(offer, ref)
    if offer.has("busybox"):
        return recipe
    applet = ("/usr/local/bin/busybox", '#!/bin/sh\n# busybox APPLET ARGS is the machine\'s own APPLET.\nexec "$@"\n')
    return Recipe(config=recipe.config, files=(*recipe.files, applet), notes=recipe.notes)


def _scratch(offer: Offer, _: Reference) -> Recipe:
    return Recipe(
        config=Config(env=_env(offer.host)), notes=("scratch has this machine's programs and libraries here",)
    )


_CURL_ENTRYPOINT = """#!/bin/sh
# As curlimages/curl: options go to curl, anything that is a command runs as it is.
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then set -- curl "$@"; fi
exec "$@"
"""


def _curl(offer: Offer, _: Reference) -> Recipe:
    own = () if offer.has("curl") else program(offer.host, "curl", "/usr/local/bin/curl")
    return Recipe(
        config=Config(env=_env(offer.host), entrypoint=("/entrypoint.sh",), cmd=("curl",)),
        files=(*own, *_nc(offer), ("/entrypoint.sh", _CURL_ENTRYPOINT)),
    )


def _wget(offer: Offer) -> tuple[tuple[str, str], ...]:
    return () if offer.has("wget") else program(offer.host, "wget", "/usr/local/bin/wget")


def _nc(offer: Offer) -> tuple[tuple[str, str], ...]:
    return () if offer.has("nc") else program(offer.host, "nc", "/usr/local/bin/nc")


# One user and no folders of the machine: a container has neither nginx's user nor its /var/lib.
_NGINX = """user root;
worker_processes 1;
pid /run/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 1024; }
http {
    types { text/html html; text/css css; text/javascript js; application/json json; image/svg+xml svg; image/png png; }
    default_type application/octet-stream;
    access_log /dev/stdout;
    client_body_temp_path /tmp/nginx-body;
    proxy_temp_path /tmp/nginx-proxy;
    fastcgi_temp_path /tmp/nginx-fastcgi;
    uwsgi_temp_path /tmp/nginx-uwsgi;
    scgi_temp_path /tmp/nginx-scgi;
    include /etc/nginx/conf.d/*.conf;
}
"""
_NGINX_SITE = """server {
    listen 80;
    location / { root /usr/share/nginx/html; index index.html; }
}
"""


def _nginx(offer: Offer, ref: Reference) -> Recipe:
    if not offer.has("nginx"):
        return Recipe(missing=f"{ref.name} needs nginx, which this machine does not have: install it")
    config = Config(env=_env(offer.host), cmd=("nginx", "-g", "daemon off;"), exposed=(80,), stop_signal="SIGQUIT")
    files = (
        ("/etc/nginx/nginx.conf", _NGINX),
        ("/etc/nginx/conf.d/default.conf", _NGINX_SITE),
        ("/usr/share/nginx/html/index.html", "<h1>Welcome to nginx!</h1>\n"),
    )
    return Recipe(config=config, files=files, notes=(f"{ref.name} is this machine's nginx here",))


def _helloworld(offer: Offer, ref: Reference) -> Recipe:
    version = ref.repository.rsplit("-", 1)[-1]
    command = "/usr/local/bin/helloworld"
    return Recipe(
        config=Config(env=_env(offer.host, SERVICE_VERSION=version), cmd=(command,), exposed=(5000,)),
        files=program(offer.host, "helloworld", command),
    )


_BOOKINFO_ENV = {  # what the original images of `reviews` carry
    "v2": {"ENABLE_RATINGS": "true"},
    "v3": {"ENABLE_RATINGS": "true", "STAR_COLOR": "red"},
}


def _bookinfo(offer: Offer, ref: Reference) -> Recipe:
    service, version = ref.repository.rsplit("-", 2)[-2:]
    more = {"SERVICE_VERSION": version, **(_BOOKINFO_ENV.get(version, {}) if service == "reviews" else {})}
    command = "/usr/local/bin/bookinfo"
    return Recipe(
        config=Config(env=_env(offer.host, **more), cmd=(command, service), exposed=(9080,)),
        files=program(offer.host, "bookinfo", command),
        notes=(f"{ref.name} is a program of Semafor's own that answers as Bookinfo's {service} {version} does",),
    )


def _httpbin(offer: Offer, _: Reference) -> Recipe:
    """Istio's sample starts it as `gunicorn -b 0.0.0.0:8080 httpbin:app -k gevent`, so that is the program's name."""
    command = "/usr/local/bin/gunicorn"
    arguments = (command, "-b", "0.0.0.0:80", "httpbin:app")
    return Recipe(
        config=Config(env=_env(offer.host), cmd=arguments, exposed=(80,)),
        files=program(offer.host, "httpbin", command),
    )


def _go_httpbin(offer: Offer, _: Reference) -> Recipe:
    command = "/usr/bin/go-httpbin"
    return Recipe(
        config=Config(env=_env(offer.host, HTTPBIN_STYLE="go"), cmd=(command,), exposed=(8080,)),
        files=program(offer.host, "httpbin", command),
    )


def _tcp_echo(offer: Offer, _: Reference) -> Recipe:
    command = "/usr/local/bin/tcp-echo"
    return Recipe(
        config=Config(env=_env(offer.host), entrypoint=(command,), cmd=("9000", "hello")),
        files=program(offer.host, "tcp_echo", command),
    )


def _fortio(offer: Offer, _: Reference) -> Recipe:
    command = "/usr/bin/fortio"
    return Recipe(
        config=Config(env=_env(offer.host), entrypoint=(command,), cmd=("server",), exposed=(8080,)),
        files=program(offer.host, "fortio", command),
        notes=("fortio is a program of Semafor's own here: load, curl and the echo server",),
    )


# What the original's ports lead to here, and those of its health and metrics.
_PAGE_DOORS = {
    "SEMAFOR_DOORS": "20001=page.sock",
    "SEMAFOR_QUIET": "9090",
    "SEMAFOR_TOLD": "the page is at port 20001; sign in with: semafor dashboard",
}
_TRACES_DOORS = {
    "SEMAFOR_DOORS": "16686=jaeger.sock 4317=otlp.sock 4318=traces.sock 9411=traces.sock",
    "SEMAFOR_QUIET": "13133 14269 8888",
    "SEMAFOR_TOLD": "traces are at port 16686; they come in at 4317 and 4318 (OpenTelemetry) and 9411 (Zipkin)",
}


def _page(offer: Offer, _: Reference) -> Recipe:
    command = "/opt/kiali/kiali"
    return Recipe(
        config=Config(env=_env(offer.host, **_PAGE_DOORS), entrypoint=(command,), exposed=(20001,)),
        files=program(offer.host, "doors", command),
        notes=("Kiali is Semafor's own page here: `semafor dashboard` signs in",),
    )


def _traces(offer: Offer, _: Reference) -> Recipe:
    command = "/go/bin/jaeger"
    return Recipe(
        config=Config(env=_env(offer.host, **_TRACES_DOORS), entrypoint=(command,), exposed=(16686, 4317, 4318, 9411)),
        files=program(offer.host, "doors", command),
        notes=("Jaeger is the mesh's own store of traces here, and its page",),
    )


def _pause(offer: Offer, _: Reference) -> Recipe:
    script = ("/pause", "#!/bin/sh\nexec sleep infinity\n")
    return Recipe(config=Config(env=_env(offer.host), entrypoint=("/pause",)), files=(script,))


def _host(offer: Offer, _: Reference) -> Recipe:
    return Recipe(config=Config(env=_env(offer.host)))


def _proxy(offer: Offer, _: Reference) -> Recipe:
    binds = tuple((source, inside) for inside, source in offer.tools)
    config = Config(env=_env(offer.host), entrypoint=("/usr/local/bin/pilot-agent",))
    return Recipe(config=config, binds=binds)


def _istio(*images: str) -> tuple[str, ...]:
    """The names of Istio's images, in older releases and in newer ones."""
    return tuple(f"{place}/{image}" for place in ("istio", "registry.istio.io/release") for image in images)


ROWS: tuple[Row, ...] = (
    Row(names=("python",), recipe=_python, reason="the base of most agents: the host's interpreter with a fresh venv"),
    Row(names=("node",), recipe=_language("node", "Node.js", "node"), reason="the base of the other agents"),
    Row(names=("golang",), recipe=_language("go", "Go", "bash"), reason="services in Go"),
    Row(names=("rust",), recipe=_language("cargo", "Rust", "bash"), reason="services in Rust"),
    Row(
        names=("eclipse-temurin", "openjdk", "amazoncorretto"),
        recipe=_language("java", "Java", "jshell"),
        reason="services in Java",
    ),
    Row(names=("ruby",), recipe=_language("ruby", "Ruby", "irb"), reason="services in Ruby"),
    Row(names=("php",), recipe=_language("php", "PHP", "php", "-a"), reason="services in PHP"),
    Row(names=("denoland/deno",), recipe=_language("deno", "Deno", "deno"), reason="agents in TypeScript"),
    Row(names=("oven/bun",), recipe=_language("bun", "Bun", "bun"), reason="agents in TypeScript"),
    Row(names=("ghcr.io/astral-sh/uv",), recipe=_language("uv", "uv"), reason="COPY --from=... /uv of Python images"),
    Row(names=("curlimages/curl", "curl/curl"), recipe=_curl, reason="every mesh tutorial calls services from it"),
    Row(names=("busybox", "registry.k8s.io/busybox"), recipe=_busybox, reason="debugging pods, init containers"),
    Row(
        names=(
            *("alpine", "debian", "ubuntu", "buildpack-deps", "fedora", "rockylinux", "almalinux", "amazonlinux"),
            *(f"gcr.io/distroless/{name}" for name in ("static", "base", "cc", "static-debian12", "base-debian12")),
        ),
        recipe=_host_tools,
        reason="bases of images that bring their own programs, and shells",
    ),
    Row(names=("scratch",), recipe=_scratch, reason="FROM scratch: images of one static program"),
    Row(names=("nginx",), recipe=_nginx, reason="the web server of most Kubernetes examples"),
    Row(
        names=_istio("examples-helloworld-v1", "examples-helloworld-v2"),
        recipe=_helloworld,
        reason="Istio's sample helloworld, unchanged",
    ),
    Row(
        names=_istio(
            *(f"examples-bookinfo-{service}-v1" for service in ("productpage", "details", "ratings")),
            *(f"examples-bookinfo-reviews-v{version}" for version in (1, 2, 3)),
        ),
        recipe=_bookinfo,
        reason="Istio's sample Bookinfo, unchanged: what its tasks are told with",
    ),
    Row(
        names=("kennethreitz/httpbin", "kong/httpbin"),
        recipe=_httpbin,
        reason="Istio's sample httpbin, unchanged",
    ),
    Row(names=("mccutchen/go-httpbin",), recipe=_go_httpbin, reason="Istio's sample httpbin of newer releases"),
    Row(names=_istio("tcp-echo-server"), recipe=_tcp_echo, reason="Istio's sample tcp-echo: plain TCP"),
    Row(
        names=("gcr.io/istio-testing/ext-authz", *_istio("ext-authz")),
        recipe=lambda offer, _: echoes.authorizer(offer.host),
        reason="Istio's sample ext-authz: an external authorizer",
    ),
    Row(
        names=("fortio/fortio",),
        recipe=_fortio,
        reason="Istio's sample httpbin: the client of its circuit breaking task",
    ),
    Row(
        names=("registry.k8s.io/gateway-api/echo-basic",),
        recipe=lambda offer, _: echoes.basic(offer.host),
        reason="the Gateway API's conformance suite: what a gateway's backend was asked",
    ),
    Row(
        names=("registry.k8s.io/gateway-api/echo-advanced", "gcr.io/istio-release/app", *_istio("app")),
        recipe=lambda offer, _: echoes.advanced(offer.host),
        reason="the same suite, for meshes: Istio's own test server and client",
    ),
    Row(
        names=("registry.k8s.io/coredns/coredns", "coredns/coredns"),
        recipe=lambda offer, _: echoes.coredns(offer.host),
        reason="the same suite: a backend that speaks UDP",
    ),
    Row(
        names=("registry.k8s.io/pause", "k8s.gcr.io/pause"),
        recipe=_pause,
        reason="a container that only waits, as in scheduling examples",
    ),
    Row(names=("quay.io/kiali/kiali",), recipe=_page, reason="Istio's add-on Kiali, unchanged: leads to the page"),
    Row(
        names=tuple(f"{place}jaegertracing/{name}" for place in ("", "quay.io/") for name in ("jaeger", "all-in-one")),
        recipe=_traces,
        reason="Istio's add-on Jaeger, unchanged: leads to the mesh's traces, and takes those of applications",
    ),
    Row(names=("semafor/host",), recipe=_host, reason="`semafor run`: this machine's programs, nothing else"),
    Row(names=("semafor/proxyv2", *_istio("proxyv2")), recipe=_proxy, reason="the sidecar: Envoy and its agent"),
)


def find(ref: Reference, host: Host, tools: Mapping[str, str]) -> Recipe | None:
    """The recipe of a well-known image; None when the name is not in the table."""
    for row in ROWS:
        if ref.name in row.names:
            return row.recipe(Offer(host=host, tools=tuple(tools.items())), ref)
    return None


def names() -> tuple[str, ...]:
    """All names of the table."""
    return tuple(name for row in ROWS for name in row.names)
