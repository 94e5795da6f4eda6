"""Pin images by digest: `python3 scripts/pin_images.py Dockerfile docker-compose.yml`.

Each image of others that is named by its tag gets the digest that the tag has in its registry now
(`docker buildx imagetools inspect`); one that has a digest gets a new one. Needs Docker and the
registry. What is built here, as `readfirst:cpu`, has none.
"""

import re
import subprocess
import sys
from pathlib import Path

#: `FROM image:tag` of a Dockerfile, and `image: image:tag` of a compose file.
NAMED = re.compile(
    r"^(?P<before>FROM |\s*image: )(?P<image>[\w./-]+:[\w.-]+)"
    r"(?:@sha256:[0-9a-f]{64})?(?P<after>\s|$)",
    re.MULTILINE,
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
OWN = "readfirst:"


def pinned(text: str) -> str:
    """A file with each image pinned. Raises CalledProcessError or ValueError."""
    return NAMED.sub(
        lambda named: (
            named[0]
            if named["image"].startswith(OWN)
            else f"{named['before']}{named['image']}@{digest_of(named['image'])}{named['after']}"
        ),
        text,
    )


def digest_of(image: str) -> str:
    """The digest that a tag has in its registry: for all platforms where it is made for several."""
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"]
    answer = subprocess.run([*command, image], check=True, stdout=subprocess.PIPE, text=True)
    digest = answer.stdout.strip()
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"{image}: {digest!r} is no digest.")
    return digest


def main() -> None:
    """Pin the images of the files that are named."""
    files = [Path(name) for name in sys.argv[1:]]
    # All are asked for before one is written.
    texts = [pinned(file.read_text()) for file in files]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)


if __name__ == "__main__":
    main()
