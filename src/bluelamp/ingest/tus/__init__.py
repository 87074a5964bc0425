"""tus 1.0.0, the resumable upload protocol (tus.io/protocols/resumable-upload), for docks.

Core, creation, creation-with-upload, termination, expiration, checksum. What may be uploaded was decided when the
camera was docked: a creation names a docking session and a recording of its inventory.
"""
