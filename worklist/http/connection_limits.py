"""The limits of connections: what the site wants, and what the system allows."""

import resource

from worklist.http.connections import ConnectionLimits

#: Open files that the page needs beside its connections: database, films, processes, libraries.
OTHER_FILES = 200
#: Share of the connections that one network may have.
SHARE_OF_NETWORK = 0.5
FEWEST = 16


def connection_limits(most: int) -> ConnectionLimits:
    """Make the limits. most: as the site wants; fewer where the system allows fewer open files."""
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if open_files != resource.RLIM_INFINITY:
        most = max(FEWEST, min(most, open_files - OTHER_FILES))
    return ConnectionLimits(most, max(1, int(most * SHARE_OF_NETWORK)))
