"""The workloads: each module has TITLE, UNIT, CASES and CONTESTANTS, a table of name -> (case -> Task)."""
