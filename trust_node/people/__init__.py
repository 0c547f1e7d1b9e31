"""Who of a project's members may see its images in the trust's archive."""
