"""The broker from outside: topics, rules, quotas, users, and how far its groups are."""
