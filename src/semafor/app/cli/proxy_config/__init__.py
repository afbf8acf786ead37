"""`semafor proxy-config`: what an Envoy has, from its own mouth, in istioctl's columns. One module for each part."""

from semafor.app.cli.proxy_config.commands import command

__all__ = ["command"]
