from bus.settings import BusSettings
from services.project.app import participant

participant(BusSettings.from_environment()).run()
