"""The theoretical peak of a processor, by /proc/cpuinfo."""

import re
from dataclasses import dataclass

#: Float32 operations of one core in one cycle, by the widest instructions that it has: two units,
#: their lanes, and two operations where a multiplication and an addition are fused.
FLOPS_PER_CYCLE = (
    ({"avx512f"}, 64),
    ({"avx2", "fma"}, 32),
    ({"avx"}, 16),
    ({"asimd"}, 16),
    ({"sse2"}, 8),
)
SIMD = re.compile(r"sse2|sse4_[12]|avx.*|fma|f16c|amx.*|asimd.*|sve.*|i8mm|bf16")


@dataclass(frozen=True, slots=True)
class Processor:
    """The facts of /proc/cpuinfo. cores: physical ones, as far as they are known."""

    model: str
    cores: int
    megahertz: float | None
    simd: tuple[str, ...]
    #: Theoretical float32 peak at that clock; None where clock or instructions are unknown.
    peak_gflops: float | None


def processor(cpuinfo: str) -> Processor:
    """The processor of a /proc/cpuinfo. The clock is the fastest core's at that moment."""
    lines = re.findall(r"^([^:\n]*?)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    facts: dict[str, list[str]] = {}
    for name, value in lines:
        facts.setdefault(name, []).append(value)
    flags = set(" ".join(facts.get("flags", facts.get("Features", []))).split())
    physical = set(zip(facts.get("physical id", []), facts.get("core id", []), strict=False))
    cores = len(physical) or len(facts.get("processor", [])) or 1
    clock = max((float(value) for value in facts.get("cpu MHz", [])), default=None)
    return Processor(
        model=next(iter(facts.get("model name", [])), "unknown"),
        cores=cores,
        megahertz=clock,
        simd=tuple(sorted(flag for flag in flags if SIMD.fullmatch(flag))),
        peak_gflops=peak_gflops(flags, cores, clock),
    )


def peak_gflops(flags: set[str], cores: int, megahertz: float | None) -> float | None:
    """Float32 operations that the processor could do in a nanosecond; None if nobody knows."""
    per_cycle = next((flops for needed, flops in FLOPS_PER_CYCLE if needed <= flags), None)
    return None if per_cycle is None or megahertz is None else cores * megahertz * per_cycle / 1e3
