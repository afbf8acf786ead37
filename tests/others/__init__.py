"""Tools of others against a running mesh: by hand, for they are fetched, and Kiali takes minutes to build."""
