"""Programs that well-known images bring where the machine has none: copied into a layer as text, never imported.

Each file stands alone and needs nothing but the standard library.
"""
