from bus.settings import HubSettings
from services.project.app import participant

participant(HubSettings.from_environment()).run()
