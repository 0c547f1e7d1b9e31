"""`python -m infra.watch` writes the dashboards anew; commit them."""

from infra.watch.dashboards import write

write()
