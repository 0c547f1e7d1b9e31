from bus.settings import BusSettings
from services.gateway.app import participant

participant(BusSettings.from_environment()).run()
