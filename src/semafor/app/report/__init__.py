"""What one sends to somebody else: an archive about the mesh, with secrets taken out."""
