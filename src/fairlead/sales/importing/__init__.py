"""Uploads, background imports, remembered mappings, and imports that are taken back."""
