"""cfc's own tables -> Markdown: what the site says of functions, options, codes, presets and the API cannot go stale.

Nothing here knows of MkDocs; `docs/hooks.py` puts the texts into the site.
"""
