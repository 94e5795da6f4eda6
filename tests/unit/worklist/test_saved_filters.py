"""The addresses that may be saved, and what is kept of them."""

import pytest

from worklist.pages.list.saved_filters import list_address


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/", "/"),
        ("/?flagged=true&cursor=abc", "/?flagged=true"),
        ("/?text=smith&show=all", "/?show=all"),
        ("/?sort=patient&reverse=true", "/?sort=patient&reverse=true"),
    ],
)
def test_an_address_is_kept_without_page_and_text(written: str, kept: str) -> None:
    assert list_address(written) == kept


@pytest.mark.parametrize(
    "written",
    ["https://elsewhere/", "//elsewhere/", "/studies/1.2", "javascript:alert(1)", "/?sort=x"],
)
def test_what_is_no_list_is_not_kept(written: str) -> None:
    with pytest.raises(ValueError, match="no address of the list"):
        list_address(written)
