"""A real Kubernetes: how its API is reached, what it has, what happens there.

In: a kubeconfig, or the credentials of a pod. Out: objects as documents, in the same words as the one-machine API's
own client (`semafor.kube.api.client`), so that what uses the one can use the other.
Never: plans, renders, or keeps what it is not asked to follow.
"""
