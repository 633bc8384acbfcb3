"""Random histories for as long as one likes: ``python -m tests.soak --seconds 600``.

Each round is one pytest run over the property tests (and the crash tests of this folder)
with a new seed and many more examples than the fast suite draws. A round that has begun is
finished, so the whole takes one round more than asked at the most. The first red round
ends it; its seed is printed, and repeats it.
"""
