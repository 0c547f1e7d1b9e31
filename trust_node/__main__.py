"""`python -m trust_node`. Worker processes import this file again, and must not pay for what only the node needs."""

if __name__ == "__main__":
    from trust_node.node import Node
    from trust_node.policy import Policy
    from trust_node.settings import Settings

    settings = Settings.from_environment()
    Node(settings, Policy.read(settings.policy_file)).participant().run()
