"""Kinds of destinations: a module each, which says what an address holds, sends and tests.

They stand below workers and pages, since both reach destinations: workers send, and whoever
administers the site tests. `kinds.py` names them all.
"""
