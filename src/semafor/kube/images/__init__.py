"""Container images without Docker: what a Dockerfile builds, what known names mean here, how a root is mounted.

In: a folder with a Dockerfile, or the name of an image. Out: an `Image` (its layers as folders, its command, its
environment) and, for a container, the ordered list of mounts that make its root: the host's system folders, read-only,
under the image's own layers, under a writable one.

It never downloads an image, never needs root or another program, and never shows a container the host's /home,
/root, /run, /var, /tmp or /srv. Nothing is imported here: the processes that mount roots start faster that way.

    library.Images      find, list, build, remove      catalogue   the well-known names
    dockerfile          text -> instructions           builder     instructions -> layers, with a cache
    rootfs.plan         layers -> mounts (pure)        mounts      carries the mounts out (standard library only)
"""
