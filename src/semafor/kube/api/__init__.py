"""The Kubernetes API of one machine, as kubectl and client libraries speak it.

In: HTTP requests (or calls of the in-process `Client`), and the table of kinds. Out: documents in the store, and
answers and refusals worded as kube-apiserver words them. It never acts on an object: that is the controllers' part.

    paths, accept, bodies ─▶ Call ─▶ objects (rules, defaults, admission, checks) ─▶ store ─▶ tables, watching
"""
