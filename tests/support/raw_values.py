"""Elements as no library would write them, byte by byte."""

from pydicom.datadict import dictionary_VR, tag_for_keyword


def with_raw_value(content: bytes, keyword: str, value: bytes) -> bytes:
    """Replace the value of an element of a file in explicit little endian, whose VR is a short one.

    An odd length is made even by a space (PS3.5 7.1.1).
    """
    tag = tag_for_keyword(keyword)
    assert tag is not None
    head = tag.to_bytes(4, "big")
    begin = head[1::-1] + head[:1:-1] + dictionary_VR(tag).encode()
    at = content.index(begin) + len(begin)
    end = at + 2 + int.from_bytes(content[at : at + 2], "little")
    even = value + b" " * (len(value) % 2)
    return content[:at] + len(even).to_bytes(2, "little") + even + content[end:]
