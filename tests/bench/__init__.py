"""Benchmarks: ``python -m tests.bench [AREA] [--quick] [--json]``, or ``make bench``.

An area is a folder here, a benchmark one file in it with two names: ``NAME`` (areas and
names stand in the command line's documentation) and ``measure(quick) -> Measurement``.
A measurement is the median over several runs of the same work, with the spread between
the slowest and the fastest run beside it; names that end in ``_cpu`` count the seconds of
the processor, all others the seconds on the wall. Set-up and compilation are not timed,
except where a name says that the whole is measured (``demo.s``).

``--quick`` does less work, ends within 45 seconds an area and says that it was quick in
its output: its figures tell that nothing broke, not how fast it is.
"""
