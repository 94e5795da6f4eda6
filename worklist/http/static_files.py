"""Scripts, styles and pictures of the pages, under an address that names their content.

`/static/DIGEST/…` may be kept for good: other content has another address, so the scripts of two
releases never mix, and no page asks again for what it has. `/static/…` is asked for each time.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).parents[1] / "static"
#: RFC 9111 5.2.2, RFC 8246.
FOR_GOOD: Final = "public, max-age=31536000, immutable"
#: Begins a digest in an address; no folder of ours is called so.
MARK: Final = "v-"


def _digest(folder: Path) -> str:
    """The digest of all files of a folder, by name and content."""
    whole = sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = sha256(path.read_bytes())
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + content.digest())
    return MARK + whole.hexdigest()[:16]


VERSION: Final = _digest(STATIC)
#: What the addresses in templates begin with.
PREFIX: Final = f"/static/{VERSION}"


class VersionedFiles(StaticFiles):
    """Files that may be kept for good under the digest of today, and under no other."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file. Pages of an earlier release get those of today, not to be kept."""
        version, _, rest = Path(path).as_posix().partition("/")
        if not version.startswith(MARK):
            return await super().get_response(path, scope)
        response = await super().get_response(rest, scope)
        if version == VERSION:
            response.headers["Cache-Control"] = FOR_GOOD
        return response
