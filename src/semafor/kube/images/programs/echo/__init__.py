"""Echo servers for tests of meshes and gateways: they tell what they were asked, over every protocol that those carry.

    basic       `echo-basic` of the Gateway API's project: JSON (server)
    advanced    Istio's `app`: lines of text (server), and `client`, its caller
    authorizer  Istio's sample `ext-authz`, which is asked whether requests may pass
    message     what a handler is asked and answers        listen      sockets, TLS, which protocol
    http1       HTTP/1.1 and WebSocket                     http2       HTTP/2, on both sides
    grpc        gRPC's frames and protobuf's fields        go          what the originals' language writes

Programs of their own, for pods: they see the standard library and h2, nothing else of Semafor.
"""
