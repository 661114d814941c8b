"""The revisions, one module each, with their statements beside them. What was released is never changed."""
