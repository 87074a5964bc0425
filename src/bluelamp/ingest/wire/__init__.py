"""A request's bytes between the network and a writer: received into few large buffers, worked on in a thread.

`body` reads one request's body from whatever brings it: ASGI messages, or, where the server's connection is one of
`connection`'s, the socket itself. `pump` holds the buffers and feeds the writer.
"""
