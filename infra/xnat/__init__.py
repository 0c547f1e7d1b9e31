"""An archive that speaks XNAT's REST routes from plain files: where a trust has no XNAT of its own."""
