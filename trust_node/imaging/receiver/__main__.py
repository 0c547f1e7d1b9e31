"""What `Receiver` starts; nobody else does."""

from trust_node.imaging.receiver.process import main

main()
