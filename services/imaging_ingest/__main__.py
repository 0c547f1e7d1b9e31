from bus.settings import HubSettings
from services.imaging_ingest.app import participant

participant(HubSettings.from_environment()).run()
