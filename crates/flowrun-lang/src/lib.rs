//! From YAML text to a plan: positions, diagnostics, schema checks.
