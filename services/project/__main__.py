from bus.settings import BusSettings
from services.project.app import participant

participant(BusSettings()).run()
