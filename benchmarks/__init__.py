"""How fast is prefdissect, and against what: `python -m benchmarks`, at the root of the repository.

No time counts before the gate has shown that the numbers are right. All figures come from one process
and from interleaved rounds, so a machine that changes its speed moves a case and its reference alike;
what is compared are ratios within a round.
"""
