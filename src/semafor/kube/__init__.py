"""A Kubernetes for one machine: store < api < controllers, node.

In: requests of kubectl and other clients. Out: durable objects, watches, and pods as isolated local processes.
It never knows what a mesh is: sidecars are ordinary containers to it, and `app` hands it the injector.
"""
