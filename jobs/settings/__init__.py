"""One settings object per process: environment, `.env`, `--set`, validated at start.

Every name carries the prefix `CLINSUM_` in the environment. `clinsum doctor` shows the values as resolved.
"""

from jobs.settings.base import Names, SettingsError
from jobs.settings.settings import Settings, load_settings

__all__ = ["Names", "Settings", "SettingsError", "load_settings"]
