"""Hashed, pre-compressed static files whose ES modules import each other by their hashed names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    # Without it `import "./keys.js"` would ask for the unhashed file, which caches keep across a release.
    support_js_module_import_aggregation = True
