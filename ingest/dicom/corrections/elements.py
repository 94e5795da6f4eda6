"""Elements that say how pixels are shown: what cannot be read is left aside."""

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ingest.dicom.corrections.tables import (
    LEAST_BITS,
    MOST_BITS,
    is_there,
    little_endian_tables,
    put_table,
    table_of,
)
from ingest.dicom.numbers import first_number, numbers, says_something

#: PS3.3 C.11.1 and C.11.2: keywords of what becomes grey by which numbers.
WINDOW = ("WindowCenter", "WindowWidth")
RESCALE = ("RescaleSlope", "RescaleIntercept")
TABLES = {"ModalityLUTSequence": "modality LUT", "VOILUTSequence": "VOI LUT"}
NAMES = {"RescaleSlope": "Rescale Slope", "RescaleIntercept": "Rescale Intercept"}
EXPLANATION = "WindowCenterWidthExplanation"
#: PS3.3 C.11.2.1.2 and C.11.2.1.3: how a window turns values into grey.
WINDOW_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def with_readable_elements(dataset: Dataset, *, little_endian: bool = True) -> list[str]:
    """Leave nothing in a data set that says how to show it but what can be read.

    little_endian: the byte order of its file. Returns what was left aside or set right.
    """
    corrections = [*_rescale(dataset), *_windows(dataset), *_function(dataset)]
    for keyword in TABLES:
        if not little_endian:
            little_endian_tables(dataset, keyword)
        corrections += _table(dataset, keyword)
    return corrections


def _rescale(dataset: Dataset) -> list[str]:
    """Slope and intercept count together, or not at all (PS3.3 C.11.1)."""
    slope, intercept = (first_number(dataset, keyword) for keyword in RESCALE)
    corrections = [
        f"{NAMES[keyword]} cannot be read"
        for keyword, number in zip(RESCALE, (slope, intercept), strict=True)
        if number is None and says_something(dataset, keyword)
    ]
    if slope == 0:
        corrections.append("Rescale Slope is 0")
    if corrections or slope is None or intercept is None:
        _leave_out(dataset, *RESCALE)
    else:
        _put(dataset, {"RescaleSlope": slope, "RescaleIntercept": intercept})
    return corrections


def _windows(dataset: Dataset) -> list[str]:
    """Keep the windows of which both numbers can be read, each with its explanation."""
    centers, widths = (numbers(dataset, keyword) for keyword in WINDOW)
    if not centers and not widths:
        return []
    pairs = list(zip(centers, widths, strict=False))
    kept = [index for index, pair in enumerate(pairs) if None not in pair]
    if len(kept) == len(centers) == len(widths):
        _put(dataset, {"WindowCenter": centers, "WindowWidth": widths})
        return []
    was_there = any(says_something(dataset, keyword) for keyword in WINDOW)
    names = _as_it_is(dataset, EXPLANATION)
    _leave_out(dataset, *WINDOW, EXPLANATION)
    if kept:
        _put(dataset, {"WindowCenter": [centers[at] for at in kept],
                       "WindowWidth": [widths[at] for at in kept]})  # fmt: skip
        if isinstance(names, list) and len(names) == len(pairs):
            dataset.add_new(EXPLANATION, "LO", [str(names[at]) for at in kept])
    return ["a window cannot be read"] if was_there else []


def _function(dataset: Dataset) -> list[str]:
    """Write VOI LUT Function (0028,1056) as the standard does; LINEAR is the default.

    Windows by an unknown function are left aside.
    """
    if "VOILUTFunction" not in dataset:
        return []
    written = str(_as_it_is(dataset, "VOILUTFunction") or "")
    function = "_".join(written.replace("\0", " ").replace("_", " ").upper().split())
    if function in ("", *WINDOW_FUNCTIONS):
        dataset.add_new("VOILUTFunction", "CS", function or "LINEAR")
        return []
    windowed = any(keyword in dataset for keyword in WINDOW)
    _leave_out(dataset, "VOILUTFunction", *WINDOW)
    return ["VOI LUT Function is unknown"] if windowed else []


def _table(dataset: Dataset, keyword: str) -> list[str]:
    """Write the table that can be read, by what its data prove; leave out one that cannot."""
    table = table_of(dataset, keyword)
    if table is None:
        was_there = is_there(dataset, keyword)
        if keyword in dataset:
            _leave_out(dataset, keyword)
        return [f"the {TABLES[keyword]} cannot be read"] if was_there else []
    corrections: list[str] = []
    if len(table.entries) != table.declared_entries:
        corrections.append(f"the {TABLES[keyword]} has {len(table.entries)} entries and "
                    f"says {table.declared_entries}")  # fmt: skip
    bits = table.bits
    if keyword == "ModalityLUTSequence":
        # PS3.3 C.11.1.1.1: 8 or 16, but some say how many bits their values use; either will do.
        bits = LEAST_BITS if max(bits, table.declared_bits) <= LEAST_BITS else MOST_BITS
    elif bits != table.declared_bits:
        corrections.append(f"the VOI LUT has entries of {bits} bits and says {table.declared_bits}")
    put_table(dataset, keyword, table, bits)
    return corrections


def leave_out_voi(dataset: Dataset, keyword: str) -> None:
    """Take the VOI LUT, or every window, out of a data set."""
    _leave_out(dataset, *(WINDOW if keyword in WINDOW else (keyword,)))


def _put(dataset: Dataset, values: dict[str, object]) -> None:
    """Write numbers where an element does not give these as it is."""
    for keyword, value in values.items():
        if _as_it_is(dataset, keyword) != value:
            single = isinstance(value, list) and len(value) == 1
            dataset.add_new(keyword, "FD", value[0] if single else value)  # type: ignore[index]


def _as_it_is(dataset: Dataset, keyword: str) -> object:
    try:
        value = dataset.get(keyword)
    except MemoryError:
        raise
    except Exception:
        # pydicom converts values when they are asked for, and raises what it likes.
        return None
    return list(value) if isinstance(value, list | MultiValue) else value


def _leave_out(dataset: Dataset, *keywords: str) -> None:
    for keyword in keywords:
        if keyword in dataset:
            del dataset[keyword]
