"""The commands that say what the mesh consists of: install, upgrade, uninstall, manifest, profile, tag."""
