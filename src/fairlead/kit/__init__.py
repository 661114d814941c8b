"""Small shared parts that know no feature: database, clock, ids, expressions, pages."""
