"""Footage from elsewhere, added on a page: CCTV, a member of the public's phone.

A person says first what it is (an Addition), then sends its files through the docks' tus endpoint with the session of
the browser. What was said becomes part of each recording in the transaction that accepts it.
"""
