"""Messages under the names that programs for Temporal know them by."""
