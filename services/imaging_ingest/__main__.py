from bus.settings import BusSettings
from services.imaging_ingest.app import participant

participant(BusSettings.from_environment()).run()
