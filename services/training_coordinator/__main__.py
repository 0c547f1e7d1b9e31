from services.training_coordinator.app import participant
from services.training_coordinator.settings import Settings

participant(Settings.from_environment()).run()
