from services.aggregator.app import participant
from services.aggregator.settings import Settings

participant(Settings.from_environment()).run()
