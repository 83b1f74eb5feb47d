"""The protocol conformance suite: cases as data against an engine, or against a client."""
