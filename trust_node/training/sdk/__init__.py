"""The folder that training code finds on its import path inside the sandbox."""
