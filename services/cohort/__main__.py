from services.cohort.app import participant
from services.cohort.settings import Settings

participant(Settings.from_environment()).run()
