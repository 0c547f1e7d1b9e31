from trust_node.node import Node
from trust_node.policy import Policy
from trust_node.settings import Settings

if __name__ == "__main__":
    settings = Settings.from_environment()
    Node(settings, Policy.read(settings.policy_file)).participant().run()
