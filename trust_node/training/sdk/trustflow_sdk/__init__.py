"""What training code imports inside a trust.

from trustflow_sdk import federation

while (task := federation.receive()) is not None:
    model.load_state_dict(task.model)
    ...
    federation.send(model.state_dict(), examples=len(train), metrics={"loss": loss})
"""

from .federation import Federation, Misuse, Task
from .images import Images

__all__ = ["Federation", "Images", "Misuse", "Task", "federation", "images"]

federation = Federation()
images = Images(federation)
