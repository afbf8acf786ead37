"""The Service Mesh Interface's kinds, all versions. Documents in, field errors out; nothing is translated."""
